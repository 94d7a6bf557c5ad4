"""How Rasa reaches this project's custom actions: inside its own process, or at an action server.

Both take and return what rasa_sdk's action server does, so an action is the same code either way.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

import aiohttp
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from bot import logs
from bot.serving.errors import where
from bot.serving.executor import PACKAGE, Executor

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0
"""How often it is looked whether an action server that went away is back."""


class _ActionsEndpoint(EndpointConfig):
    def __init__(self, timeout: float, url: str | None = None) -> None:
        # Actions get the domain only when they ask for it (`send_domain`): it is large and they rarely do.
        super().__init__(url=url, enable_selective_domain=True)
        self.timeout = timeout

    async def close(self) -> None:
        """Let go of what is kept between calls."""


class InProcessActions(_ActionsEndpoint):
    """Runs the actions of a package in this process."""

    def __init__(self, timeout: float, package: str = PACKAGE) -> None:
        super().__init__(timeout)
        self._executor = Executor()
        self._executor.register_package(package)

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        """Run the action that the call in `json` names. Fails as a request to an action server would."""
        call = kwargs["json"]
        name = call.get("next_action")
        try:
            # Through JSON there and back: an action can't change the live tracker, and what would fail on
            # the way to an action server fails here as well.
            answer = await asyncio.wait_for(self._executor.run(json.loads(json.dumps(call))), self.timeout)
            return json.loads(json.dumps(answer))
        except ActionExecutionRejection as refusal:
            raise _failed(400, name, refusal.message) from None
        except ActionNotFoundException:
            raise _failed(
                404, name, f"No custom action is called {name!r}: see the package {PACKAGE}."
            ) from None
        except asyncio.TimeoutError:
            raise _failed(504, name, f"The custom action {name} took more than {self.timeout:g} s.") from None
        except Exception as error:
            logger.debug("The custom action %s failed.", name, exc_info=True)
            raise _failed(500, name, f"The custom action {name} failed: {where(error)}.") from None


class RemoteActions(_ActionsEndpoint):
    """An action server at a URL, over connections that are kept open, each call within a bounded time.

    While it is away its actions run here, which have the same database and spool. A call that it may have
    got is not repeated here: what an action does, it should do once.
    """

    def __init__(
        self, url: str, timeout: float, token: str = "", look_every: float = SECONDS_BETWEEN_LOOKS
    ) -> None:
        super().__init__(timeout, url)
        self._authorisation = {"Authorization": f"Bearer {token}"} if token else {}
        self._kept: aiohttp.ClientSession | None = None
        self._look_every = look_every
        self._looking: asyncio.Task[None] | None = None

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        """Post the call in `json` to the action server and return its answer."""
        name = kwargs["json"].get("next_action")
        if self._looking is not None:
            return await self._here.request(*args, **kwargs)
        try:
            async with self._session.post(
                self.url,
                json=kwargs["json"],
                compress=kwargs.get("compress"),
                headers={**self._authorisation, logs.HEADER: logs.current_turn()},
            ) as answer:
                if answer.status >= 400:
                    raise ClientResponseError(answer.status, answer.reason, await answer.text())
                return await answer.json()
        except aiohttp.ClientConnectorError:
            self._lost()
            return await self._here.request(*args, **kwargs)
        except asyncio.TimeoutError:
            self._lost()
            raise _failed(
                504, name, f"The action server took more than {self.timeout:g} s for {name}."
            ) from None

    @cached_property
    def _here(self) -> InProcessActions:
        return InProcessActions(self.timeout)

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._kept is None or self._kept.closed:
            self._kept = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.timeout))
        return self._kept

    def _lost(self) -> None:
        if self._looking is None:
            logger.warning("The action server is away; its actions run in the chat server meanwhile.")
            self._looking = asyncio.create_task(self._look_until_it_is_back())

    async def _look_until_it_is_back(self) -> None:
        health = urljoin(self.url, "/health")
        while True:
            with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                async with self._session.get(health, timeout=aiohttp.ClientTimeout(total=1)) as answer:
                    if answer.status == 200:
                        break
            await asyncio.sleep(self._look_every)
        logger.warning("The action server is back.")
        self._looking = None

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        if self._kept is not None:
            await self._kept.close()


def actions_endpoint(url: str, timeout: float, token: str = "") -> _ActionsEndpoint:
    """Remote with a `url`, else in this process; `timeout` is the seconds for one action."""
    return RemoteActions(url, timeout, token) if url else InProcessActions(timeout)


def _failed(status: int, action: str, reason: str) -> ClientResponseError:
    """What Rasa expects of an action server that answers with an error; it keeps the reason to itself."""
    if status != 400:
        logger.error("%s", reason)
    return ClientResponseError(status, reason, json.dumps({"action_name": action, "error": reason}))
