"""The chat in a real browser, against the real assistant."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from benchmarks.browser import DESKTOP, violations
from bot.model import OutgoingReply, Person, Reply
from bot.settings import load_settings
from bot.store.store import Store
from tests.alone import Alone
from tests.conftest import PASSWORD, ROOT, System


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


@pytest.fixture(scope="session")
def alone(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """Servers for tests that break them; `system` has seen to the model."""
    alone = Alone(tmp_path_factory.mktemp("alone"))
    alone.store.migrate()
    alone.start()
    yield alone
    alone.stop()


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
        self.typing = page.locator("milia-chat .typing")

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


# ------------------------------------------------------------ the staff app


@pytest.fixture
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where pictures go."""
    return ROOT / "docs" / "images" if request.config.getoption("--docs-images") else tmp_path


@pytest.fixture
def desk(new_context: Callable[..., BrowserContext], system: System) -> Iterator[Page]:
    """The staff app in a browser in which the admin is signed in; no script error may happen in it."""
    page = new_context(**DESKTOP).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    sign_in(page, system)
    yield page
    assert errors == []


def sign_in(page: Page, system: System) -> None:
    """Signs the admin in; the first time with the password of `make run`, which has to be changed."""
    page.goto(system.staff_url)
    first = not (system.data_dir / "changed").exists()
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(system.first_password if first else PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    if first:
        expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
        assert violations(page) == []
        page.get_by_label("One-time password").fill(system.first_password)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.get_by_role("button", name="Save").click()
        (system.data_dir / "changed").touch()
    expect(page.get_by_role("heading", name="Questions")).to_be_visible()


def reload_until(page: Page, url: str, shows: Callable[[], bool], seconds: float = 15.0) -> None:
    """Opens a page until it shows what the staff app finds out beside it: which question a new one belongs to."""
    end = time.monotonic() + seconds
    page.goto(url)
    while not shows():
        assert time.monotonic() < end, "the page never showed it"
        page.goto(url)


def picture(page: Page, path: Path) -> None:
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").quantize(96).save(path, optimize=True)
