"""Hostile text through the widget and its transport: the samples that every channel has to withstand."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import expect

from tests.conftest import System
from tests.e2e.conftest import Chat

SAMPLES = yaml.safe_load((Path(__file__).parents[1] / "data" / "hostile.yml").read_text(encoding="utf-8"))
LONGEST = 50_000  # characters; the widget asks to shorten what is longer
AT_ONCE = 12  # a visitor may send so many in a minute


def payload_of(sample: dict[str, Any]) -> Any:
    if "generator" in sample:
        return eval(sample["generator"], {"json": json, "base64": base64, "gzip": gzip, "zlib": zlib})
    return base64.b64decode(sample["payload_b64"]) if "payload_b64" in sample else sample["payload"]


def samples(where: str) -> list[dict[str, Any]]:
    return [sample for sample in SAMPLES if sample["where"] == where]


TEXTS = samples("text")


@pytest.mark.parametrize("start", range(0, len(TEXTS), AT_ONCE))
def test_hostile_texts_are_shown_as_text_and_answered(visit: Callable[..., Chat], start: int) -> None:
    chat = visit().open().ready()
    for sample in TEXTS[start : start + AT_ONCE]:
        text = payload_of(sample)
        if not text.strip():
            continue  # the widget sends nothing that is empty
        mine, replies = chat.mine.count(), chat.replies.count()
        # Set as a paste would; a lone surrogate can't be sent to the browser in another way.
        chat.input.evaluate("(field, text) => { field.value = JSON.parse(text); }", json.dumps(text))
        chat.input.press("Enter", timeout=60_000)  # 60,000 combining marks take a browser a while
        if len(text) > LONGEST:
            expect(chat.problem).to_contain_text("1300 455 792")
            chat.input.fill("")
            continue
        expect(chat.mine).to_have_count(mine + 1)
        expect(chat.replies.nth(replies)).to_be_visible(timeout=15_000)
    shown = chat.page.evaluate(
        "(() => { const root = document.querySelector('milia-chat').shadowRoot;"
        " return root.querySelectorAll('script, iframe, img, [onerror], .bubble *').length })()"
    )
    assert shown == 0
    box = chat.panel.bounding_box()
    assert box and box["width"] < 450
    count = chat.mine.count()
    chat.page.reload()
    expect(chat.mine).to_have_count(count)
    chat.say("What are milia?")
    answer = chat.replies.filter(has_text="hard white lumps").last  # the call-back form may ask on after it
    expect(answer).to_be_visible(timeout=15_000)


def ask(system: System, path: str, body: bytes, token: str = "", **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{system.chat_url}/webhooks/{path}", body, method="POST")
    for name, value in {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        **headers,
    }.items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def token_of(system: System) -> str:
    return json.loads(ask(system, "website/session", b"{}")[1])["token"]


@pytest.mark.parametrize("where", ["rest_body", "socketio"])
def test_hostile_bodies_are_refused_and_harm_nobody(system: System, where: str) -> None:
    token = token_of(system)
    for sample in samples(where):
        payload = payload_of(sample)
        body = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
        for path in ("website/messages", "website/session", "website/feedback"):
            status, answer = ask(system, path, body, token, **sample.get("headers", {}))
            assert status < 500, (sample["name"], path)
            if status >= 400:
                assert json.loads(answer)["error"], sample["name"]
        question = json.dumps(
            {"id": f"after-{sample['name']}"[:40].replace(" ", "-"), "text": "what are milia"}
        )
        status, answer = ask(system, "website/messages", question.encode(), token_of(system))
        assert status == 200 and b"hard white lumps" in answer, sample["name"]
