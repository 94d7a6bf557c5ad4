"""What is said about a call-back that stands, and what only sounds like it."""

from __future__ import annotations

import pytest

from bot.callback_talk import NAME, PHONE, WHEN, calls_off, corrections, goes_on
from bot.details import read_details

MADE = {NAME: "Anna", PHONE: "+61491570158", WHEN: "any time after 3"}


@pytest.mark.parametrize(
    "text",
    [
        "never mind dont call me",
        "cancel that call",
        "can you cancel the call back please",
        "i want to cancel my callback",
        "please don't",
        "you don't need to ring",
        "no need to call",
        "i dont want a call anymore",
        "no callback please",
        "sorry, changed my mind",
    ],
)
def test_a_call_is_called_off(text: str) -> None:
    assert calls_off(text)


@pytest.mark.parametrize(
    "text",
    ["don't call me before 9", "no call before 9", "cancel my appointment", "no worries", "can you call me"],
)
def test_a_call_is_not_called_off(text: str) -> None:
    assert not calls_off(text)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("actually can you make it monday?", {WHEN: "monday"}),
        ("how about friday", {WHEN: "friday"}),
        ("wrong number sorry its 0400 000 002", {PHONE: "+61400000002"}),
        ("sorry, it's Rebecca", {NAME: "Rebecca"}),
        ("anna", {}),
        ("0491 570 158", {}),
        ("after 3", {}),
    ],
)
def test_right_after_it_little_is_needed(text: str, changes: dict[str, str]) -> None:
    assert goes_on(text, "out_of_scope", MADE, fresh=True)
    assert not goes_on(text, "out_of_scope", MADE, fresh=False)
    assert corrections(read_details(text), MADE) == changes


@pytest.mark.parametrize("text", ["please don't call me", "cancel the call", "call me on tuesday instead"])
def test_later_a_call_has_to_be_named(text: str) -> None:
    assert goes_on(text, "out_of_scope", MADE, fresh=False)


def test_another_call_is_asked_for_later() -> None:
    assert goes_on("call me please", "request_callback", MADE, fresh=True)
    assert not goes_on("call me please", "request_callback", MADE, fresh=False)


@pytest.mark.parametrize(
    "text",
    [
        "are you open monday",
        "can i book an appointment for friday",
        "does it hurt",
        "can you call my mum too on 0400 000 002",
        "thanks",
        "Mel",
    ],
)
def test_what_is_about_something_else(text: str) -> None:
    assert not goes_on(text, "out_of_scope", MADE, fresh=True)
