"""Visitors of each kind of server: how one begins a conversation, and how a message is sent and answered."""

from __future__ import annotations

import json
import uuid
from typing import Any

import aiohttp


class Failed(Exception):
    """A message that was not answered as it should be."""


class Rest:
    """A visitor of Rasa's REST channel."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/webhooks/rest/webhook"

    async def begin(self) -> Any:
        """A new conversation."""
        return uuid.uuid4().hex

    async def say(self, conversation: Any, text: str) -> bool:
        """Sends a message and waits for all that is replied to it. Whether anything is: Rasa's defaults may stay silent."""
        async with self._http.post(self._url, json={"sender": conversation, "message": text}) as response:
            replies = await response.json()
            if response.status != 200:
                raise Failed(f"{response.status}: {text}")
            return bool(replies)


class Website:
    """A visitor of the website's chat: session, origin, limits by visitor and address, replies as a stream."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/webhooks/website"
        self._origin = url
        self._number = 0

    async def begin(self) -> Any:
        # Visitors come from addresses of their own, as they do behind the reverse proxy of a real site.
        self._number += 1
        address = ".".join(str(10 + (self._number >> shift & 127)) for shift in (21, 14, 7, 0))
        headers = {"Origin": self._origin, "X-Forwarded-For": address}
        async with self._http.post(f"{self._url}/session", headers=headers) as response:
            if response.status != 200:
                raise Failed(f"{response.status}: no session")
            token = (await response.json())["token"]
        return {**headers, "Authorization": f"Bearer {token}"}

    async def say(self, conversation: Any, text: str) -> bool:
        """The stream's last line comes when the turn is stored."""
        body = {"id": uuid.uuid4().hex, "text": text}
        async with self._http.post(f"{self._url}/messages", json=body, headers=conversation) as response:
            lines = [json.loads(line) for line in (await response.read()).splitlines()]
            kinds = [line.get("type") for line in lines]
            if response.status != 200 or "reply" not in kinds or kinds[-1] != "done":
                raise Failed(f"{response.status}: {text}")
            return True


class Floor(Rest):
    """A visitor of the bare handler, which takes what Rasa's REST channel takes."""


KINDS = {"rest": Rest, "website": Website, "floor": Floor}
