"""A thin client of the Graph API: the token in the header, the proof with every call, no call without an end.

Every way in which a call can fail is one of three: it was refused, it may be tried again, or nobody knows.
Nothing here logs or raises what was said, or a token.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.channels.messenger import limits
from bot.channels.messenger.signature import appsecret_proof
from bot.settings import Settings

TIMEOUT = 10.0
"""Seconds for a whole call."""
MOST_CONNECTIONS = 50


class GraphError(Exception):
    """A call that failed. code: Meta's; 0 when there is none."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.code = code


class Refused(GraphError):
    """It won't ever work."""


class TryAgain(GraphError):
    """It was not done, and may work later. few: it is worth only a few tries."""

    def __init__(self, reason: str, code: int = 0, few: bool = False) -> None:
        super().__init__(reason, code)
        self.few = few


class Unsure(GraphError):
    """It may have been done: the answer got lost."""


class Graph:
    """The Graph API for our Pages; to be closed at the end."""

    def __init__(self, settings: Settings, timeout: float = TIMEOUT) -> None:
        self._base = f"{settings.messenger_graph_url}/{settings.messenger_graph_version}"
        self._app_secret = settings.messenger_app_secret
        self._tokens = settings.messenger_tokens
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._http: aiohttp.ClientSession | None = None

    async def send(self, page: str, body: Mapping[str, Any]) -> None:
        """Sends a message to a person. Raises GraphError."""
        await self.call(page, "POST", f"{page}/messages", body)

    async def call(
        self,
        page: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Calls as a Page. Raises GraphError."""
        token = self._tokens.get(page)
        if token is None:
            raise Refused("This Page has no token in MILIA_MESSENGER_PAGE_TOKENS.")
        return await self._call(token, method, path, body, parameters)

    async def call_as_app(self, app_id: str, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Reads as the app itself. Raises GraphError."""
        return await self._call(f"{app_id}|{self._app_secret}", "GET", path, None, parameters)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _call(
        self,
        token: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        parameters: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=10)
            self._http = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        given = {**(parameters or {}), "appsecret_proof": appsecret_proof(token, self._app_secret)}
        data = None if body is None else json.dumps(body).encode()
        try:
            async with self._http.request(
                method, f"{self._base}/{path}", params=given, data=data, headers=headers
            ) as response:
                return _content(response.status, await response.read())
        except aiohttp.ClientConnectorError:
            raise TryAgain("Graph can't be reached.") from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise Unsure(f"No answer from Graph ({type(error).__name__}).") from None


def _content(status: int, data: bytes) -> dict[str, Any]:
    """What an answer holds. Raises GraphError when it says that the call failed."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    error = content.get("error") if isinstance(content, dict) else None
    if isinstance(error, dict):
        raise _failure(status, error)
    if status < 300 and isinstance(content, dict):
        return content
    if status == 429:
        raise TryAgain("Graph wants fewer calls.", min(limits.TOO_MANY_CALLS))
    if 400 <= status < 500:
        raise Refused(f"Graph answered {status}.")
    raise Unsure(f"Graph answered {status}.")


def _failure(status: int, error: Mapping[str, Any]) -> GraphError:
    code = error.get("code")
    code = code if isinstance(code, int) else 0
    subcode = error.get("error_subcode")
    reason = f"Graph error {code}" + (f", subcode {subcode}" if isinstance(subcode, int) else "")
    if code in limits.WORTH_A_RETRY:
        return TryAgain(reason, code)
    if code in limits.WORTH_A_FEW_RETRIES or error.get("is_transient") is True or status >= 500:
        return TryAgain(reason, code, few=True)
    return Refused(reason, code)
