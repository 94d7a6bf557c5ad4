"""Whatever is sent to what is public, and however slowly: no error of ours, no growth, and the next visitor is answered."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import resource
import selectors
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psutil
import pytest
import requests
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.alone import APP_SECRET, Alone
from tests.conftest import ROOT

SAMPLES = yaml.safe_load((ROOT / "tests" / "data" / "hostile.yml").read_text(encoding="utf-8"))
PUBLIC = (
    "website/session",
    "website/messages",
    "website/feedback",
    "website/clicks",
    "rest/webhook",
    "facebook/webhook",
    "facebook/deletion",
)
MOST_GROWTH = 150 * 2**20
MANY = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """These tests need no browser."""


class Stranger:
    """Somebody who sends what they like, and can do that as a visitor too."""

    def __init__(self, alone: Alone) -> None:
        self.alone = alone
        self.http = requests.Session()
        self.url = f"{alone.chat.url}/webhooks"
        met = self.http.post(f"{self.url}/website/session", json={}, timeout=20).json()
        self.token = {"Authorization": f"Bearer {met['token']}"}

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        """Signed as Meta would where Meta would, and refused or answered without an error of ours."""
        signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        given = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        answer = self.http.post(
            f"{self.url}/{path}", data=body, headers={**given, **self.token, **headers}, timeout=20
        )
        assert answer.status_code < 500, (path, body[:200], answer.text)
        assert "Traceback" not in answer.text
        assert answer.status_code < 400 or len(answer.content) < 1000
        return answer

    def says(self, text: str) -> str:
        """What a visitor reads in return."""
        body = json.dumps({"id": uuid4().hex, "text": text}).encode()
        lines = [json.loads(line) for line in self.post("website/messages", body).text.splitlines()]
        assert lines[-1]["type"] == "done"
        return "\n".join(line["text"] for line in lines if line["type"] == "reply")


@pytest.fixture(scope="module")
def stranger(alone: Alone) -> Iterator[Stranger]:
    stranger = Stranger(alone)
    assert alone.chat.process
    chat = psutil.Process(alone.chat.process.pid)
    assert "hard white lumps" in stranger.says("What are milia?")
    before = chat.memory_info().rss
    yield stranger
    assert "hard white lumps" in stranger.says("What are milia?")
    assert chat.memory_info().rss - before < MOST_GROWTH
    stranger.http.close()


# ---------------------------------------------------------------- anything as a body


def payload_of(sample: dict[str, Any]) -> bytes:
    if "generator" in sample:
        made = eval(sample["generator"], {"json": json, "base64": base64, "gzip": gzip, "zlib": zlib})
    else:
        made = base64.b64decode(sample["payload_b64"]) if "payload_b64" in sample else sample["payload"]
    return made if isinstance(made, bytes) else str(made).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("path", PUBLIC)
def test_every_hostile_sample_at_every_public_end_point(stranger: Stranger, path: str) -> None:
    for sample in SAMPLES:
        headers = {name: value for name, value in sample.get("headers", {}).items() if value.isascii()}
        stranger.post(path, payload_of(sample), **headers)
    assert "hard white lumps" in stranger.says("What are milia?")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=200)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    [
        "id",
        "text",
        "button",
        "again",
        "reply",
        "up",
        "target",
        "sender",
        "message",
        "object",
        "entry",
        "metadata",
    ]
)
OBJECTS = st.dictionaries(FIELDS, JSON, max_size=6)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "sender": st.fixed_dictionaries({"id": JSON | st.just("7")}),
        "recipient": st.fixed_dictionaries({"id": JSON | st.just("100")}),
        "timestamp": JSON,
        "message": st.dictionaries(
            st.sampled_from(["mid", "text", "is_echo", "quick_reply", "attachments"]), JSON, max_size=4
        )
        | JSON,
        "postback": st.dictionaries(st.sampled_from(["mid", "title", "payload"]), JSON, max_size=3) | JSON,
    },
)
DELIVERY = st.fixed_dictionaries(
    {
        "object": st.just("page"),
        "entry": st.lists(
            st.fixed_dictionaries({"id": st.just("100"), "messaging": st.lists(EVENT, max_size=3)})
        ),
    }
)
BODIES = (
    st.binary(max_size=300)
    | JSON.map(lambda value: json.dumps(value).encode())
    | OBJECTS.map(lambda value: json.dumps(value).encode())
    | DELIVERY.map(lambda value: json.dumps(value).encode())
)


@pytest.mark.parametrize("path", PUBLIC)
def test_any_body_is_answered_or_refused(stranger: Stranger, path: str) -> None:
    @MANY
    @given(BODIES)
    def send(body: bytes) -> None:
        stranger.post(path, body)

    send()
    assert "hard white lumps" in stranger.says("What are milia?")


@MANY
@given(st.text(max_size=500))
def test_any_text_gets_a_reply_and_the_conversation_can_be_read(stranger: Stranger, text: str) -> None:
    assert stranger.says(text).strip()
    answer = stranger.http.get(f"{stranger.url}/website/history", headers=stranger.token, timeout=20)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


@MANY
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60))
def test_any_query_and_header_is_answered_or_refused(stranger: Stranger, text: str) -> None:
    for path in (
        "website/history",
        "website/widget.js",
        "facebook/webhook",
        f"facebook/deletion/{text}",
    ):
        answer = stranger.http.get(
            f"{stranger.url}/{path}",
            params={"shown": text, "hub.mode": text, "hub.verify_token": text, "v": text},
            headers={"Authorization": f"Bearer {text}".encode().strip()},
            timeout=20,
        )
        assert answer.status_code < 500, (path, text)


@MANY
@given(BODIES)
def test_the_action_server_takes_only_calls(alone: Alone, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{alone.actions.url}/webhook", data=body, headers=headers, timeout=20)
    assert 400 <= answer.status_code < 500 and "error" in answer.json()


# ---------------------------------------------------------------- connections


def test_oversized_headers_are_refused(stranger: Stranger) -> None:
    for headers in ({"X-Long": "x" * 100_000}, {f"X-{n}": "x" * 100 for n in range(500)}):
        with socket.create_connection(("127.0.0.1", stranger.alone.chat.port), 20) as connection:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            connection.sendall(f"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
            with suppress(ConnectionResetError):  # it may have no wish to read all of it
                assert b" 413 " in connection.recv(1000).partition(b"\r\n")[0]
    assert "hard white lumps" in stranger.says("What are milia?")


def test_a_thousand_slow_connections_keep_nobody_out_and_are_closed(stranger: Stranger) -> None:
    """Each sends a little of a request, some go on with a letter now and then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    number = min(1000, hard - 300)
    slow = [socket.create_connection(("127.0.0.1", stranger.alone.chat.port), 20) for _ in range(number)]
    try:
        for connection in slow:
            connection.sendall(b"POST /webhooks/website/session HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        with selectors.DefaultSelector() as ends:
            for connection in slow:
                ends.register(connection, selectors.EVENT_READ)
            while ends.get_map():
                assert "hard white lumps" in stranger.says("What are milia?")
                for key, _ in ends.select(1.0):
                    ends.unregister(key.fileobj)
                for connection in slow[:20]:
                    if connection in ends.get_map():
                        try:
                            connection.sendall(b"x")
                        except OSError:
                            ends.unregister(connection)
    finally:
        for connection in slow:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
