"""The pictures of docs/website.md, taken from the running chat; `--docs-images` keeps them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from benchmarks.browser import PHONE
from tests.conftest import ROOT
from tests.e2e.conftest import Chat

PAGE = ROOT / "docs" / "website.md"
SHOWN = re.findall(r"images/(\S+\.png)", PAGE.read_text(encoding="utf-8"))


@pytest.fixture
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where pictures go."""
    return ROOT / "docs" / "images" if request.config.getoption("--docs-images") else tmp_path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_pictures(
    visit: Callable[..., Chat], staff: Callable[[Chat, str], None], images: Path, width: int, scheme: str
) -> None:
    options: dict[str, Any] = PHONE if width == 320 else {}
    chat = visit(color_scheme=scheme, reduced_motion="reduce", **options)

    def take(name: str) -> None:
        picture = f"chat-{name}-{width}-{scheme}.png"
        if picture in SHOWN:
            shot = Image.open(io.BytesIO(chat.page.screenshot()))
            shot.convert("RGB").quantize(96).save(images / picture, optimize=True)
            assert (images / picture).stat().st_size < 60_000

    chat.open().ready()
    take("open")
    chat.chips.first.click()
    expect(chat.replies).to_have_count(1)
    chat.page.mouse.move(1, 1)
    take("answer")
    chat.say("Is there a discount code?")
    chat.say("How do I book an appointment?")
    take("booking")
    staff(chat, "Hello, this is Sarah from the clinic. Would Tuesday at 10 suit you?")
    expect(chat.page.locator("milia-chat .message.staff")).to_be_visible(timeout=8_000)
    take("staff")
    chat.page.context.set_offline(True)
    chat.input.fill("Yes, please")
    chat.input.press("Enter")
    expect(chat.problem).to_be_visible(timeout=15_000)
    take("offline")
