"""`make chat` against a server on loopback that answers as the REST channel does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bot.chat import ChatError, chosen, converse, send, show
from bot.settings import Settings, load_settings
from tests.conftest import ROOT, environment, free_ports

REPLY = {
    "text": "Milia are small cysts.",
    "links": [{"title": "Call", "target": "tel:1300455792"}],
    "buttons": [{"title": "What causes them?", "payload": "/faq/causes#signed"}],
    "code": "miliagone",
}


class Assistant(HTTPServer):
    """Keeps what it was sent; answers with `status` and one reply."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[dict[str, str]] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Assistant

    def do_GET(self) -> None:
        self.answer({"status": "ok"})

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer([REPLY])

    def answer(self, body: object) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def assistant() -> Iterator[Assistant]:
    server = Assistant()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(assistant, tmp_path) -> Settings:
    return load_settings(environment(chat_port=assistant.server_port, data_dir=tmp_path), tmp_path / "none")


def test_a_reply_shows_links_code_and_numbered_suggestions():
    lines = show([REPLY, REPLY]).splitlines()
    assert "Assistant: Milia are small cysts." in lines
    assert "  Call: tel:1300455792" in lines
    assert "  Code: miliagone" in lines
    assert "  1) What causes them?" in lines
    assert "  2) What causes them?" in lines


def test_a_link_that_the_text_names_is_not_shown_twice():
    reply = {"text": "See https://example.com", "links": [{"title": "Site", "target": "https://example.com"}]}
    assert show([reply]).count("https://example.com") == 1


@pytest.mark.parametrize(("typed", "sent"), [("1", "/faq/causes#signed"), ("2", "2"), ("0", "0"), ("²", "²")])
def test_a_number_chooses_a_suggestion_that_is_there(typed, sent):
    assert chosen(typed, REPLY["buttons"]) == sent


def test_a_conversation_keeps_its_sender_and_ends_at_the_end_of_input(assistant, settings):
    typed = iter(["what are milia", "  ", "1"])

    def ask(_: str) -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    converse(settings, ask)
    assert [heard["message"] for heard in assistant.heard] == ["what are milia", "/faq/causes#signed"]
    assert len({heard["sender"] for heard in assistant.heard}) == 1


def test_a_channel_that_is_off_is_one_sentence(assistant, settings):
    assistant.status = 404
    with pytest.raises(ChatError, match="MILIA_REST=yes"):
        send(settings, "me", "hello")


def test_an_assistant_that_went_away_is_one_sentence(tmp_path):
    nobody = load_settings(environment(chat_port=free_ports(1)[0], data_dir=tmp_path), tmp_path / "none")
    with pytest.raises(ChatError, match="doesn't answer"):
        send(nobody, "me", "hello")


def test_the_command_talks_to_the_one_that_runs(assistant, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bot", "chat"],
        input="what are milia\n",
        cwd=ROOT,
        env={**os.environ, **environment(chat_port=assistant.server_port, data_dir=tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Assistant: Milia are small cysts." in done.stdout
    assert assistant.heard[0]["message"] == "what are milia"
