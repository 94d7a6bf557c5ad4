"""A chat server with the real channel and pages and a bot that says what the tests need."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from rasa.core.actions.action import create_bot_utterance
from rasa.core.channels.channel import UserMessage
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from sanic import Sanic

from bot.channels.website import WebsiteChannel
from bot.channels.website.pages import pages
from bot.model import Button, Link, Reply
from bot.reply import to_message
from bot.settings import Settings

ANSWER = (
    "Milia are hard white lumps under the skin, usually 1–2 mm, that feel firm and have no natural opening."
)


class SmallBot:
    """Answers by key words: `slow` waits, `break` fails, `code`, `book`, `two`; everything else is echoed."""

    def __init__(self) -> None:
        self.tracker_store = InMemoryTrackerStore(Domain.empty())
        self.model_id = "small"
        self.heard: list[str] = []
        self.go_on = asyncio.Event()

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: UserMessage) -> None:
        text = message.text or ""
        self.heard.append(text)
        if "break" in text:
            raise RuntimeError("broken on purpose")
        if "slow" in text:
            await self.go_on.wait()
        tracker = await self.tracker_store.get_or_create_tracker(message.sender_id)
        tracker.update(
            UserUttered(
                text,
                intent={"name": "faq", "confidence": 0.9},
                parse_data=message.parse_data or {"intent": {"name": "faq"}, "text": text},
                input_channel=message.input_channel,
                message_id=message.message_id,
            )
        )
        for reply in self.replies(text):
            data = to_message(reply)
            data["utter_action"] = "utter_faq/size"
            await message.output_channel.send_response(message.sender_id, dict(data))
            tracker.update(create_bot_utterance(data))
        await self.tracker_store.save(tracker)

    def replies(self, text: str) -> list[Reply]:
        steps = (Button("Does it hurt?", "/faq/pain"), Button("How are they removed?", "/faq/removal"))
        if "code" in text:
            return [Reply("Use this code for 15% off your first purchase.", code="miliagone")]
        if "book" in text:
            links = (
                Link("Book online", "https://www.example.com/book"),
                Link("Call 1300 455 792", "tel:1300455792"),
            )
            return [Reply("You can book online, or call us on 1300 455 792.", links=links)]
        if "two" in text:
            return [Reply("First."), Reply("Second.", next_steps=steps)]
        if "what are milia" in text.lower():
            return [Reply(ANSWER, next_steps=steps)]
        return [Reply(f"You said: {text}", next_steps=steps)]


@contextlib.asynccontextmanager
async def small_server(settings: Settings, bot: SmallBot, port: int) -> AsyncIterator[Sanic]:
    """Serves on loopback as long as the context lasts."""
    Sanic.test_mode = True
    app = Sanic(f"small_{port}", configure_logging=False)
    app.ctx.agent = bot
    app.config.REQUEST_MAX_SIZE = 1024 * 1024
    app.blueprint(WebsiteChannel(settings).blueprint(bot.handle_message), url_prefix="/webhooks/website")
    app.blueprint(pages(settings))
    app.config.MOTD = False
    await app._startup()
    server: Any = await app.create_server(
        host="127.0.0.1", port=port, access_log=False, return_asyncio_server=True
    )
    await server.startup()
    await server.after_start()
    try:
        yield app
    finally:
        await server.before_stop()
        await server.close()
        for connection in list(server.connections):
            connection.abort()
        await server.after_stop()
        Sanic._app_registry.pop(app.name, None)
