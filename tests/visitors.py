"""Visitors of the website over HTTP: they send as the widget does, again where it does, and see what it shows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from bot.settings import Settings
from bot.texts import load_texts

Item = dict[str, Any]

QUESTIONS = {
    "What are milia?": "utter_faq/what_are_milia",
    "Does milia removal hurt?": "utter_faq/pain",
    "Can I squeeze milia myself?": "utter_faq/squeeze",
    "Why do I get milia?": "utter_faq/causes",
    "How can I prevent milia?": "utter_faq/prevention",
    "How long is the recovery after milia removal?": "utter_faq/recovery",
    "Are milia the same as acne?": "utter_faq/not_acne",
    "Which products do you use?": "utter_faq/products",
}
"""Each with the response that answers it."""


def answers_to(settings: Settings) -> dict[str, str]:
    """The text that answers each question."""
    texts = load_texts(settings)
    return {question: texts.reply(name).text for question, name in QUESTIONS.items()}


@dataclass
class Said:
    """One message.

    seconds: until the first reply was seen, from the last time that it was sent.
    came: what came of each time that it was sent: when (seconds since 1970), and how that ended.
    """

    id: str
    text: str
    replies: list[Item] = field(default_factory=list)
    tries: int = 0
    seconds: float = 0.0
    came: list[tuple[float, str]] = field(default_factory=list)

    @property
    def read(self) -> str:
        return "\n".join(reply["text"] for reply in self.replies)


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a message: it is "lost", "doubled" or "out of order". id: the message's."""

    kind: str
    id: str
    what: str


class NotAnswered(Exception):
    """However often the widget would have asked."""


class WebVisitor:
    """Somebody new on the website at `url`, which may be a proxy's.

    patience: seconds for which a message is sent again when it isn't answered.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, patience: float = 30.0) -> None:
        self._http = http
        self._url = f"{url}/webhooks/website"
        self._patience = patience
        self._headers: dict[str, str] = {}
        self.token = ""
        self.said: list[Said] = []

    async def meet(self) -> WebVisitor:
        """Has a session from here on."""
        met = await self._asked("POST", "session", {})
        self.token = met["token"]
        self._headers = {"Authorization": f"Bearer {self.token}"}
        return self

    async def says(self, text: str, button: str = "") -> Said:
        """Sends a message until it is answered to the end, each reply seen once whatever its way.

        Raises:
            NotAnswered: it never was.
        """
        said = Said(uuid4().hex, text)
        self.said.append(said)
        await self.sends(said, button)
        return said

    async def sends(self, said: Said, button: str = "", url: str = "") -> None:
        """Sends a message, or once more one whose answer was cut off before its end; to another server at `url`.

        Raises:
            NotAnswered: it never was answered.
        """
        if url:
            self._url = f"{url}/webhooks/website"
        seen = {reply["id"]: reply for reply in said.replies}
        end = time.monotonic() + self._patience
        while not await self._converse(said, button, seen):
            if time.monotonic() > end:
                raise NotAnswered(said.text)
            await asyncio.sleep(min(0.2 * said.tries, 1.0))
        said.replies = list(seen.values())

    async def _converse(self, said: Said, button: str, seen: dict[str, Item]) -> bool:
        body = {"id": said.id, "text": said.text, "button": button, "again": said.tries > 0}
        said.tries += 1
        said.came.append((time.time(), "was cut off"))
        begun = time.monotonic()
        before = len(seen)
        try:
            async with self._http.post(f"{self._url}/messages", json=body, headers=self._headers) as answer:
                if answer.status in {429, 500, 502, 503, 504}:
                    said.came[-1] = (said.came[-1][0], f"status {answer.status}")
                    return False
                assert answer.status == 200, await answer.text()
                async for line in answer.content:
                    item = json.loads(line)
                    if item["type"] == "done":
                        said.came[-1] = (said.came[-1][0], "answered to the end")
                        return True
                    if item["type"] == "reply":
                        said.came[-1] = (said.came[-1][0], f"reply {item['id']}, then cut off")
                        seen.setdefault(item["id"], item)
                        if len(seen) == before + 1:
                            said.seconds = time.monotonic() - begun
        except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError, json.JSONDecodeError):
            pass
        return False

    async def history(self) -> list[Item]:
        """The conversation as it is after a reload of the page."""
        answer = await self._asked("GET", "history")
        return list(answer["items"])

    async def _asked(self, method: str, path: str, body: Any = None) -> Any:
        end = time.monotonic() + self._patience
        while True:
            try:
                async with self._http.request(
                    method, f"{self._url}/{path}", json=body, headers=self._headers
                ) as answer:
                    if answer.status == 200:
                        return await answer.json()
                    assert answer.status in {429, 500, 502, 503, 504}, await answer.text()
            except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError):
                pass
            if time.monotonic() > end:
                raise NotAnswered(path)
            await asyncio.sleep(0.2)


def disorder(history: Sequence[Item], said: Sequence[Said]) -> list[Wrong]:
    """What is wrong with a conversation: messages or replies that are missing, doubled or out of order."""
    sent = [one.id for one in said]
    kept = [item["id"] for item in history if item["from"] == "visitor"]
    wrong = [Wrong("lost", one.id, "isn't there after a reload") for one in said if one.id not in kept]
    wrong += [
        Wrong("doubled", id, "is there twice after a reload")
        for id in sorted(set(kept))
        if kept.count(id) > 1
    ]
    if sorted(kept) == sorted(sent) and kept != sent:
        first = next(one for one, other in zip(sent, kept, strict=True) if one != other)
        wrong.append(Wrong("out of order", first, "isn't where it was sent"))
    for one in said:
        if one.id in kept:
            place = [item["id"] for item in history].index(one.id) + 1
            replies = []
            while place < len(history) and history[place]["from"] != "visitor":
                replies.append(history[place]["id"])
                place += 1
            seen = [reply["id"] for reply in one.replies]
            if replies != seen:
                what = f"its replies are {seen} as seen, {replies} after a reload"
                wrong.append(Wrong("lost" if len(replies) < len(seen) else "doubled", one.id, what))
    return wrong
