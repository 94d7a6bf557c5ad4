"""One plain line out of whatever was typed; commands, emptiness and code are noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasa.shared.nlu.constants import TEXT

from bot.components.text_normaliser import (
    EMPTY,
    NOT_WORDS,
    TOO_LONG,
    UNREADABLE,
    TextNormaliser,
    normalise,
    spoken_emoji,
)
from tests.components.conftest import Make, message


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("  what\tare \r\n milia ", "what are milia"),
        ("what are mi\u0000lia", "what are milia"),
        ("m\u200bi\u200dl\ufeffia", "milia"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("wh\u0430t \u0430r\u0435 m\u0456l\u0456\u0430", "what are milia"),
        ("ｍｉｌｉａ", "milia"),
        ("it’s sore", "it's sore"),
        ("\u202emilia", "milia"),
        ("Siobhán's naïve café", "Siobhán's naïve café"),
        ("что такое милиа", "что такое милиа"),
        ("什么是粟粒疹", "什么是粟粒疹"),
        ("milia \ud83d ok", "milia ok"),
        ("m" * 199 + "\r?", "m" * 199),
    ],
)
def test_plain_text(typed: str, plain: str) -> None:
    assert normalise(typed, 200) == plain


@given(st.text(), st.integers(1, 50))
def test_any_text_becomes_one_short_line(text: str, limit: int) -> None:
    plain = normalise(text, limit)
    assert len(plain) <= limit
    assert plain == " ".join(plain.split())
    assert not any(ord(letter) < 32 for letter in plain)


def test_what_grows_when_normalised_is_cut() -> None:
    assert len(normalise(chr(0xFDFA) * 4000, 2000)) <= 2000
    assert normalise("a" + chr(0x301) * 60_000, 100).startswith("á")


@pytest.mark.parametrize(
    ("typed", "said"), [("👍", "yes"), ("👋🏽", "hello"), ("🙏", "thank you"), ("ok 👍", "ok 👍")]
)
def test_an_emoji_alone_says_something(typed: str, said: str) -> None:
    assert spoken_emoji(typed) == said


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", EMPTY),
        (" \t\n ", EMPTY),
        ("\u200b\u2800\u3164", EMPTY),
        ("x" * 2001, TOO_LONG),
        ("/restart", NOT_WORDS),
        ("/", NOT_WORDS),
        ("/faq/does_not_exist", NOT_WORDS),
        ("12345", NOT_WORDS),
        ("<script>alert(1)</script>", NOT_WORDS),
        ("{clinic_phone} {sender_id}", NOT_WORDS),
        ("../../../../etc/passwd", NOT_WORDS),
        ('he said "hi","there","now"', NOT_WORDS),
        ("what are milia?", None),
        ("/ what are milia", None),
        ("milia <3", None),
        ("price?", None),
        ("50% off - how?", None),
    ],
)
def test_what_cannot_be_understood(make: Make, typed: str, why: str | None) -> None:
    (done,) = make(TextNormaliser).process([message(typed)])
    assert done.get(UNREADABLE) == why


@pytest.mark.parametrize("typed", ["/restart", "/faq/pain", '/ask_phone{"a": 1}', " /back", "\u200b/restart"])
def test_a_command_is_disarmed(make: Make, typed: str) -> None:
    (done,) = make(TextNormaliser).process([message(typed)])
    assert not done.get(TEXT).startswith("/")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("price\nhours \r\n address", "price, hours, address"),
        ("hi!\n\nhow much?\n", "hi! how much?"),
    ],
)
def test_a_line_ends_what_is_said_in_it(make: Make, typed: str, read: str) -> None:
    (done,) = make(TextNormaliser).process([message(typed)])
    assert done.get(TEXT) == read


def test_a_message_without_text_is_left_alone(make: Make) -> None:
    (done,) = make(TextNormaliser).process([message()])
    assert done.get(TEXT) is None and done.get(UNREADABLE) is None
