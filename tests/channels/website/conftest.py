"""The website channel on a small bot, over real HTTP."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.serving.standin import install

install()

from bot.settings import Settings, load_settings  # noqa: E402
from bot.store.recorder import shared_recorder  # noqa: E402
from tests.channels.website.small_bot import SmallBot, small_server  # noqa: E402
from tests.conftest import free_ports  # noqa: E402


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a database of its own, all others at their defaults."""

    def make(**given: object) -> Settings:
        values = {"data_dir": tmp_path, "session_rate": 1000, "address_rate": 1000, **given}
        settings = load_settings({f"MILIA_{k.upper()}": str(v) for k, v in values.items()}, tmp_path / ".env")
        shared_recorder(settings).store.migrate()
        return settings

    return make


class Visitor:
    """A browser's side of the chat."""

    def __init__(self, http: aiohttp.ClientSession, url: str, bot: SmallBot, settings: Settings) -> None:
        self.http = http
        self.url = url
        self.bot = bot
        self.settings = settings
        self.store = shared_recorder(settings).store
        self.token = ""

    async def ask(
        self, method: str, path: str, body: Any = None, data: bytes | None = None, **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, JSON and headers of an answer."""
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = json.dumps(body).encode() if body is not None else data
        stream = io.BytesIO(data) if data else None
        url = f"{self.url}/webhooks/website/{path}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, url, data=stream, headers={**own, **headers}) as response:
            text = await response.text()
            try:
                return response.status, json.loads(text or "null"), response.headers
            except ValueError:
                return response.status, [json.loads(line) for line in text.splitlines()], response.headers

    async def meet(self) -> dict[str, Any]:
        status, met, _ = await self.ask("POST", "session", {})
        assert status == 200
        self.token = met["token"]
        return met

    async def say(self, text: str, message_id: str = "", **more: Any) -> list[dict[str, Any]]:
        """The replies to a message."""
        self.said = getattr(self, "said", 0) + 1
        body = {"id": message_id or f"message-{self.said:04}", "text": text, **more}
        status, lines, _ = await self.ask("POST", "messages", body)
        assert status == 200, lines
        assert [lines[0]["type"], lines[-1]["type"]] == ["typing", "done"]
        return lines[1:-1]

    async def history(self) -> list[tuple[str, str]]:
        _, answer, _ = await self.ask("GET", "history")
        return [(item["from"], item["text"]) for item in answer["items"]]

    def person(self) -> Any:
        """Whom staff write to."""
        from bot.channels.website.session import Sessions

        session = Sessions(self.settings).read(self.token)
        return self.settings.person("website", session.conversation)

    def another(self) -> Visitor:
        return Visitor(self.http, self.url, self.bot, self.settings)


@pytest.fixture
async def serve(make_settings: Callable[..., Settings]) -> AsyncIterator[Callable[..., Any]]:
    """Starts a server with these settings and gives a visitor who has met it."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def start(bot: SmallBot | None = None, **given: object) -> Visitor:
            settings, bot, [port] = make_settings(**given), bot or SmallBot(), free_ports(1)
            await stack.enter_async_context(small_server(settings, bot, port))
            visitor = Visitor(http, f"http://127.0.0.1:{port}", bot, settings)
            await visitor.meet()
            return visitor

        yield start
        await asyncio.sleep(0)


@pytest.fixture
async def visitor(serve: Callable[..., Any]) -> Visitor:
    """A visitor of a server with settings that limit nothing."""
    return await serve()
