"""The chat in a real browser, against the real assistant."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from benchmarks.browser import DESKTOP
from bot.model import OutgoingReply, Person, Reply
from bot.settings import load_settings
from bot.store.store import Store
from tests.conftest import System


class _Loop:
    """Playwright's event loop, which it leaves marked as running between its calls."""

    def __init__(self) -> None:
        self.loop = asyncio._get_running_loop()


@pytest.fixture(scope="session")
def playwright_loop(browser: Browser) -> Iterator[_Loop]:
    kept = _Loop()
    yield kept
    asyncio._set_running_loop(kept.loop)  # for closing the browser


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests(playwright_loop: _Loop) -> Iterator[None]:
    """Tests of this folder and asynchronous ones, which need a loop of their own, can share one run."""
    asyncio._set_running_loop(playwright_loop.loop)
    yield
    asyncio._set_running_loop(None)


class Chat:
    """The chat on a page, as a visitor uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))
        self.launcher = page.locator("milia-chat .launcher")
        self.panel = page.get_by_role("dialog")
        self.log = page.get_by_role("log")
        self.input = page.get_by_label("Your question")
        self.replies = page.locator("milia-chat .message:is(.bot, .staff):not(.greeting)")
        self.mine = page.locator("milia-chat .message.visitor")
        self.chips = page.get_by_role("group", name="Suggestions").get_by_role("button")
        self.problem = page.locator("milia-chat .problem")

    def goto(self, url: str) -> Chat:
        self.page.goto(url)
        expect(self.launcher).to_be_visible()
        return self

    def open(self) -> Chat:
        self.launcher.click()
        expect(self.panel).to_be_visible()
        return self

    def ready(self) -> Chat:
        """Waits until the server has been met."""
        expect(self.chips.first).to_be_visible()
        return self

    def say(self, text: str) -> Locator:
        """The first reply to a typed message."""
        before = self.replies.count()
        self.input.fill(text)
        self.input.press("Enter")
        reply = self.replies.nth(before)
        expect(reply).to_be_visible(timeout=15_000)
        return reply

    def texts(self) -> list[str]:
        """What has been said so far, greeting left out."""
        return self.page.locator("milia-chat .message:not(.greeting) .bubble").all_inner_texts()

    @property
    def conversation(self) -> str:
        """The conversation's id, as the server reads it from the token."""
        kept = self.page.evaluate(
            "Object.entries(localStorage).find(([key]) => key.startsWith('milia-chat'))[1]"
        )
        payload = json.loads(kept)["token"].split(".")[0]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers that share nothing."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{**DESKTOP, "locale": "en-AU", **options})
        context.set_default_timeout(10_000)
        made.append(context)
        return context

    yield make
    for context in made:
        with suppress(Exception):
            context.close()


@pytest.fixture
def visit(new_context: Callable[..., BrowserContext], system: System) -> Iterator[Callable[..., Chat]]:
    """Opens the demo page, or another, as somebody new; no script error may happen on it."""
    chats: list[Chat] = []

    def go(url: str = "", context: BrowserContext | None = None, **options: Any) -> Chat:
        chat = Chat((context or new_context(**options)).new_page())
        chats.append(chat)
        return chat.goto(url or system.chat_url + "/")

    yield go
    for chat in chats:
        assert chat.errors == []


@pytest.fixture
def staff(system: System) -> Callable[[Chat, str], None]:
    """Sends a reply to a visitor, as the staff app does."""
    settings = load_settings(system.environment)
    store = Store(system.database_url)

    def send(chat: Chat, text: str) -> None:
        person: Person = settings.person("website", chat.conversation)
        store.enqueue_reply(OutgoingReply(person, Reply(text, author="staff"), "sarah"))

    return send
