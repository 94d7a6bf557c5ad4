"""Only buttons that the bot sent to this person become commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Button
from bot.payloads import sign, verify

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
BUTTON = Button("Does it hurt?", "/faq/pain")


def test_what_was_sent_comes_back() -> None:
    assert verify(sign(BUTTON, "anna", KEY), "anna", KEY) == BUTTON


@pytest.mark.parametrize(("conversation", "key"), [("bea", KEY), ("anna", OTHER_KEY), ("", KEY)])
def test_it_is_worth_nothing_elsewhere(conversation: str, key: bytes) -> None:
    assert verify(sign(BUTTON, "anna", KEY), conversation, key) is None


def test_no_part_can_be_changed() -> None:
    payload, title, signature = sign(BUTTON, "anna", KEY).split("~")
    for forged in (
        f"/ask_discount~{title}~{signature}",
        f"{payload}~Something else~{signature}",
        f"{payload}~{title}~{'A' * len(signature)}",
        f"{payload}~{title}~",
        f"{payload}~{title}",
        payload,
        f" {payload}~{title}~{signature}",
    ):
        assert verify(forged, "anna", KEY) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.text(max_size=40))
def test_any_title_comes_back_without_its_tilde(title: str, conversation: str) -> None:
    button = verify(sign(Button(title, "/greet"), conversation, KEY), conversation, KEY)
    assert button == Button(title.replace("~", "-"), "/greet")


@given(st.text(max_size=80))
def test_typed_text_is_never_a_button(text: str) -> None:
    assert verify(text, "anna", KEY) is None
    assert verify("/" + text, "anna", KEY) is None
