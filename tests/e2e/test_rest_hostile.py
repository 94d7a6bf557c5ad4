"""Hostile text and bodies on the REST channel: one reply that helps, and the next visitor is answered."""

from __future__ import annotations

import base64
import gzip
import json
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.components.text_normaliser import normalise
from tests.conftest import System
from tests.e2e.rest import PHONE, Visitor, admits, answers

SAMPLES = yaml.safe_load((Path(__file__).parents[1] / "data" / "hostile.yml").read_text(encoding="utf-8"))
TEXTS = [sample for sample in SAMPLES if sample["where"] == "text"]
BODIES = [sample for sample in SAMPLES if sample["where"] == "rest_body"]
SECONDS = 5.0
# What these say is plain once it is normalised, or so are their words.
UNDERSTOOD = set(
    "null_inside_question zalgo lone_surrogate cyrillic_homoglyphs turkish_dotted_i slash_space_greeting "
    "unbalanced_open_brace genuine_plus_phone same_question_500_times crlf_log_forging".split()
)


def payload_of(sample: dict[str, Any]) -> Any:
    if "generator" in sample:
        return eval(sample["generator"], {"json": json, "base64": base64, "gzip": gzip, "zlib": zlib})
    return base64.b64decode(sample["payload_b64"]) if "payload_b64" in sample else sample["payload"]


def ask(system: System, body: bytes, path: str, method: str, headers: dict[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(system.chat_url + path, body or None, method=method)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("sample", TEXTS, ids=lambda sample: sample["name"])
def test_a_hostile_text_gets_one_reply_and_the_conversation_goes_on(
    system: System, sample: dict[str, Any]
) -> None:
    visitor = Visitor(system)
    assert answers(visitor.says("What are milia?"), "what_are_milia")
    text = payload_of(sample)
    for _ in range(min(sample.get("repeat", 1), 40)):
        body = json.dumps({"sender": visitor.sender, "message": text}, ensure_ascii=False)
        if any(0xD800 <= ord(letter) < 0xE000 for letter in text):
            body = json.dumps({"sender": visitor.sender, "message": text})
        started = time.monotonic()
        status, answer = ask(system, body.encode(), "/webhooks/rest/webhook", "POST", {})
        assert time.monotonic() - started < SECONDS
        assert status == 200, answer
        (reply,) = json.loads(answer)
    if sample["name"] in UNDERSTOOD:
        assert "000" not in reply["text"].replace(PHONE, "")
    else:
        assert admits(reply["text"]), reply["text"]
        assert "milia" not in reply.get("code", "") and "clinic_phone" not in reply["text"]
        words = any(letter.isalnum() for letter in normalise(text, 2000))
        assert not words or visitor.stored("unanswered_questions")
    for row in visitor.rows("unanswered_questions"):
        assert row["text"].strip() and "0491" not in row["text"] and "+61" not in row["text"]
        assert len(row["text"]) <= 2100
    visitor.says("stop")  # of the form that a phone number begins
    assert answers(visitor.says("Does milia removal hurt?"), "pain")


@pytest.mark.parametrize("sample", BODIES, ids=lambda sample: sample["name"])
def test_a_hostile_body_is_refused_or_answered(system: System, sample: dict[str, Any]) -> None:
    payload = payload_of(sample)
    body = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
    path, method = sample.get("path", "/webhooks/rest/webhook"), sample.get("method", "POST")
    status, answer = ask(system, body, path, method, sample.get("headers", {}))
    assert status < 500, answer
    assert b"Traceback" not in answer
    if sample["kind"] == "exposed_api":
        assert status in {401, 403, 404}
    elif status < 400:
        read = "\n".join(message["text"] for message in json.loads(answer))
        assert admits(read) or answers(read, "greet")
    else:
        assert len(answer) < 400
    visitor = Visitor(system)
    assert answers(visitor.says("What are milia?"), "what_are_milia")
