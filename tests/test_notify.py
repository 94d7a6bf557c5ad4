"""Emails to staff: sent once, retried when the server is away, and never with a visitor's words."""

from __future__ import annotations

import dataclasses
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.model import BookingHandoff, CallbackRequest, HandoffKind, Reason, UnansweredQuestion, utc_now
from bot.notify import GIVE_UP_AFTER, Notifier
from bot.settings import Settings, load_settings
from bot.store.staff_store import StaffStore
from tests.conftest import environment, free_ports

SECRET = "my lump is bleeding, call Jane on 0491 570 006"


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it is sent."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", port), _Talk)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline():
            command = line.strip().upper()
            if command == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            self.say("221 bye" if command == b"QUIT" else "250 fine")
            if command == b"QUIT":
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": free_ports(1)[0], "smtp_security": "none"}
    variables = environment(data_dir=tmp_path, mail_to="desk@example.com, owner@example.com", **mail)
    return load_settings(variables, env_file=tmp_path / "none")


@pytest.fixture
def store(settings: Settings) -> Iterator[StaffStore]:
    store = StaffStore(settings.store_url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with Mailbox(settings.smtp_port) as server:
        yield server
        server.shutdown()


def notifier(store: StaffStore, settings: Settings, **changes: Any) -> Notifier:
    return Notifier(store, dataclasses.replace(settings, **changes), ZoneInfo("Australia/Sydney"))


def something_happens(store: StaffStore, settings: Settings) -> None:
    for number in range(2):
        person = settings.person("website", f"v{number}")
        store.record_callback(
            CallbackRequest(person, "Jane Doe", "+61491570006", SECRET, f"CB-{number}", utc_now())
        )
    store.record_question(UnansweredQuestion(person, SECRET, Reason.RED_FLAG))
    store.record_question(UnansweredQuestion(person, SECRET, Reason.FALLBACK))
    store.record_handoff(BookingHandoff(person, HandoffKind.HUMAN, "1300 455 792"))


def test_staff_are_told_once_of_what_can_t_wait(
    store: StaffStore, settings: Settings, mailbox: Mailbox
) -> None:
    something_happens(store, settings)
    told = notifier(store, settings, staff_url="https://staff.example.com")
    now = utc_now()
    assert told.work(now) >= 3
    assert told.work(now) == 0
    mails = "\n".join(mailbox.mails)
    for subject in ("2 people asked to be called back", "1 person asked for somebody", "1 red flag"):
        assert f"Subject: {subject}" in mails
    assert "https://staff.example.com/callbacks" in mails
    assert "To: desk@example.com, owner@example.com" in mails
    for word in ("bleeding", "Jane", "0491", "CB-", "website"):
        assert word not in mails


def test_a_mail_server_that_is_away_is_tried_again(store: StaffStore, settings: Settings) -> None:
    something_happens(store, settings)
    told, now = notifier(store, settings), utc_now()
    assert told.work(now) == 0
    assert store.notice_states()["queued"] >= 4
    with Mailbox(settings.smtp_port) as server:
        assert told.work(now) == 0, "not at once"
        assert told.work(now + timedelta(hours=3)) >= 3
        assert "2 people asked to be called back" in "\n".join(server.mails)
        server.shutdown()


def test_it_gives_up_in_the_end(store: StaffStore, settings: Settings) -> None:
    something_happens(store, settings)
    told, now = notifier(store, settings, digest_hour=23), utc_now()
    for number in range(GIVE_UP_AFTER):
        told.work(now + timedelta(hours=3 * number))
    assert store.notice_states()["given_up"] >= 4


def test_there_is_one_digest_a_day(store: StaffStore, settings: Settings, mailbox: Mailbox) -> None:
    told = notifier(store, settings)
    morning = utc_now().astimezone(ZoneInfo("Australia/Sydney")).replace(hour=7, minute=59)
    assert told.work(morning) == 0
    assert told.work(morning + timedelta(minutes=2)) == 1
    assert told.work(morning + timedelta(hours=3)) == 0
    assert "wait for a decision: 0" in mailbox.mails[0]


def test_without_a_server_or_an_address_nothing_is_queued(store: StaffStore, settings: Settings) -> None:
    something_happens(store, settings)
    for changes in ({"smtp_host": ""}, {"mail_to": ()}):
        assert notifier(store, settings, **changes).work() == 0
    assert store.notice_states() == {}
