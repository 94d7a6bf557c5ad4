"""Session tokens: forged, expired and foreign ones are nobody's."""

import dataclasses
from collections.abc import Callable

import pytest
from itsdangerous import URLSafeTimedSerializer

from bot.channels.website.session import Sessions
from bot.settings import Settings


def test_a_token_names_the_conversation_that_it_was_made_for(make_settings: Callable[..., Settings]) -> None:
    sessions = Sessions(make_settings())
    session = sessions.issue()
    assert sessions.read(session.token) == session
    assert sessions.renew(session).conversation == session.conversation
    assert sessions.issue().conversation != session.conversation


def test_a_token_expires(make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(make_settings(session_days=1))
    token = sessions.issue().token
    now = __import__("time").time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 23 * 3600)
    assert sessions.read(token)
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 25 * 3600)
    assert sessions.read(token) is None


def test_tokens_of_another_key_or_purpose_are_refused(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    sessions = Sessions(settings)
    other = Sessions(dataclasses.replace(settings, secret_key="another secret of thirty-two characters"))
    assert sessions.read(other.issue().token) is None
    serializer = URLSafeTimedSerializer(settings.signing_key("website session"), salt="session")
    for payload in ("rest-somebody", "website-", ["website-" + "0" * 32], None, "website-" + "0" * 33):
        assert sessions.read(serializer.dumps(payload)) is None
    buttons = URLSafeTimedSerializer(settings.signing_key("buttons"), salt="session")
    assert sessions.read(buttons.dumps("website-" + "0" * 32)) is None
