"""What must stand in no log is found there, whoever quotes it and however: else no test of the logs could fail."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rasa.shared.core.events import UserUttered

from bot.model import CallbackRequest, utc_now
from bot.settings import Settings, load_settings
from bot.store.store import Store
from bot.store.turn import Turn
from bot.store.turn_codec import pack
from tests.conftest import environment
from tests.private import leaks

CONVERSATION = "website-" + "0" * 32
TEXT = "I've had “milia” under my eyes for a year.\nWrite to jo@example.com, or call 0491 570 156."
BEGINNING = TEXT[:50]
PAYLOAD = base64.urlsafe_b64encode(json.dumps(CONVERSATION).encode()).decode().rstrip("=")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = environment(
        data_dir=tmp_path,
        secret_key="the secret of this system",
        messenger_app_secret="the app's secret",
        messenger_verify_token="the verify token",
        messenger_page_tokens="100:token-of-the-page",
    )
    return load_settings(given, tmp_path / "none")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """One visitor has written one text, and wants to be called."""
    store = Store(settings.store_url)
    store.migrate()
    turn = Turn(CONVERSATION, time.time_ns(), pack([UserUttered(TEXT).as_dict()]))
    wanted = CallbackRequest(
        settings.person("website", CONVERSATION), "Jo Citizen", "+61491570006", "later", "CB-1", utc_now()
    )
    store.record_all([turn, wanted])
    yield store
    store.close()


@pytest.mark.parametrize(
    "said",
    [
        f"Odd: {BEGINNING}...",
        f"Odd: {BEGINNING!r}",
        json.dumps({"message": BEGINNING}),
        "no mail to jo@example.com",
        "calling 0491 570 156",
        "calling +61491570006",
        "key the secret of this system",
        "sha256 with the app's secret",
        "Bearer token-of-the-page",
        f"Bearer {PAYLOAD}.awgjtQ.FmkKhWcJExOWI70WNdsk_mXD5k0",
        "the models' token is {models}",
        "the actions' token is {actions}",
        "tried my new password",
    ],
)
def test_it_is_found(settings: Settings, store: Store, tmp_path: Path, said: str) -> None:
    for purpose in ("models", "actions"):
        said = said.replace(f"{{{purpose}}}", settings.signing_key(purpose).hex())
    log = tmp_path / "chat.log"
    log.write_text(f"A message from website: answered, 1 replies, 0.012 s.\n{said}\n")
    assert leaks(settings, store, [log], "my new password") != []


def test_what_tells_nothing_is_not(settings: Settings, store: Store, tmp_path: Path) -> None:
    log = tmp_path / "chat.log"
    log.write_text(
        "2026-11-26 12:19:27,558 INFO A message from website: answered [c0ffee00c0ffee00c0ffee00]\n"
    )
    assert leaks(settings, store, [log]) == []
