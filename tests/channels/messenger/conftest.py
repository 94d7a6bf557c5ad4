"""The Messenger channel in a real server with a small bot, and Meta on loopback."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sanic import Sanic
from sanic.response import text

from bot.serving.standin import install

install()

from bot.channels.messenger.channel import MessengerChannel  # noqa: E402
from bot.channels.messenger.service import Messenger  # noqa: E402
from bot.model import Person  # noqa: E402
from bot.settings import Settings, load_settings  # noqa: E402
from bot.store.messenger_model import CHANNEL, conversation_of  # noqa: E402
from bot.store.recorder import shared_recorder  # noqa: E402
from tests.channels.website.small_bot import SmallBot  # noqa: E402
from tests.conftest import free_ports  # noqa: E402
from tests.doubles.graph_api import Meta  # noqa: E402
from tests.store.conftest import new_postgres_database, postgres  # noqa: E402, F401

PAGE = "100"


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    async with Meta(tokens={PAGE: "token-100", "200": "token-200"}) as meta:
        yield meta
        assert meta.refused == []
        assert meta.unauthorised == []


@pytest.fixture
def make_settings(tmp_path: Path, meta: Meta) -> Callable[..., Settings]:
    """Settings of Messenger with a database of its own, all others at their defaults."""

    def make(**given: object) -> Settings:
        values = {
            "data_dir": tmp_path,
            "messenger_app_secret": meta.app_secret,
            "messenger_verify_token": "verify-me",
            "messenger_page_tokens": ",".join(f"{page}:{token}" for page, token in meta.tokens.items()),
            "messenger_graph_url": meta.url,
            **given,
        }
        settings = load_settings({f"MILIA_{k.upper()}": str(v) for k, v in values.items()}, tmp_path / ".env")
        shared_recorder(settings).store.migrate()
        return settings

    return make


class Clinic:
    """A running server, with Meta connected to it."""

    def __init__(self, settings: Settings, bot: SmallBot, meta: Meta, messenger: Messenger) -> None:
        self.settings = settings
        self.bot = bot
        self.meta = meta
        self.messenger = messenger
        self.store = shared_recorder(settings).store

    def person(self, psid: str, page: str = PAGE) -> Person:
        return self.settings.person(CHANNEL, conversation_of(page, psid))

    async def hears(self, *events: dict[str, Any]) -> None:
        """Meta delivers these events, in one batch."""
        assert await self.meta.deliver(self.meta.body(PAGE, events)) == 200

    async def says(self, psid: str, text: str, answers: int = 1) -> list[str]:
        """The texts with which a message is answered; the introduction comes with the first one."""
        before = len(self.meta.got(psid))
        await self.hears(self.meta.text(psid, text))
        return [sent.text for sent in (await self.meta.sent_to(psid, before + answers))[before:]]


@contextlib.asynccontextmanager
async def clinic_server(settings: Settings, bot: Any, meta: Meta) -> AsyncIterator[Clinic]:
    """Serves on loopback as long as the context lasts."""
    Sanic.test_mode = True
    [port] = free_ports(1)
    app = Sanic(f"messenger_{port}", configure_logging=False)
    app.ctx.agent = bot
    app.config.REQUEST_MAX_SIZE = 1024 * 1024
    app.config.MOTD = False
    app.add_route(lambda _: text("ok"), "/health", name="health")
    made: list[Messenger] = []
    with pytest.MonkeyPatch.context() as patch:
        start = Messenger.start

        async def kept(self: Messenger, tracker_store: Any) -> None:
            made.append(self)
            await start(self, tracker_store)

        patch.setattr(Messenger, "start", kept)
        app.blueprint(
            MessengerChannel(settings).blueprint(bot.handle_message), url_prefix="/webhooks/facebook"
        )
        await app._startup()
        server: Any = await app.create_server(
            host="127.0.0.1", port=port, access_log=False, return_asyncio_server=True
        )
        await server.startup()
        await server.after_start()
    meta.webhook = f"http://127.0.0.1:{port}/webhooks/facebook/webhook"
    try:
        yield Clinic(settings, bot, meta, made[0] if made else None)  # type: ignore[arg-type]
    finally:
        meta.webhook = ""
        await server.before_stop()
        await server.close()
        for connection in list(server.connections):
            connection.abort()
        await server.after_stop()
        Sanic._app_registry.pop(app.name, None)


@pytest.fixture
async def clinic(make_settings: Callable[..., Settings], meta: Meta) -> AsyncIterator[Clinic]:
    """A server with a small bot on SQLite."""
    async with clinic_server(make_settings(), SmallBot(), meta) as clinic:
        yield clinic


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'messenger.db'}"
    return new_postgres_database(request.getfixturevalue("postgres"))
