"""Where a message may ask more than one thing."""

from __future__ import annotations

import pytest

from bot.components.clause_splitter import CLAUSE_SPANS, ClauseSplitter, Part, parts_of
from tests.components.conftest import Make, message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("does it hurt? how much is it?", ["does it hurt?", "how much is it?"]),
        ("does it hurt and how much is it", ["does it hurt", "how much is it"]),
        ("price, pain, parking", ["price", "pain", "parking"]),
        ("what are milia", ["what are milia"]),
        ("do you do it on weekdays or weekends", ["do you do it on weekdays or weekends"]),
        ("what is the difference between milia and acne", ["what is the difference between milia and acne"]),
        (
            "what is the difference between milia and acne, and can I book",
            ["what is the difference between milia and acne", "can I book"],
        ),
        ("can someone call me about the cost", ["can someone call me", "the cost"]),
        ("would sardines help, do you think?", ["would sardines help, do you think?"]),
        ("cost / downtime / saturdays", ["cost", "downtime", "saturdays"]),
        ("need 1. the cause 2) what it costs", ["need", "the cause", "what it costs"]),
        ("mine are 1 mm. is 1.5 mm big", ["mine are 1 mm.", "is 1.5 mm big"]),
        ("will they drop off or do I need them out", ["will they drop off", "do I need them out"]),
        ("I lanced it (why is that bad) - it's hot", ["I lanced it", "why is that bad", "it's hot"]),
        ("do grown-up ones go", ["do grown-up ones go"]),
        ("", []),
        ("?!...", []),
    ],
)
def test_parts(text: str, parts: list[str]) -> None:
    assert [part.text for part in parts_of(text, 6)] == parts


def test_what_is_said_around_a_question_is_no_part_of_it() -> None:
    parts = parts_of("Hi, price thanks. If not, how do I get a refund please? one more thing", 6)
    assert [part.text for part in parts] == ["price", "how do I get a refund"]


def test_the_last_part_holds_the_rest() -> None:
    parts = parts_of("a? b? c? d? e?", 3)
    assert [part.text for part in parts] == ["a?", "b?", "c? d? e?"]


def test_what_begins_like_a_question_is_strong() -> None:
    assert [part.strong for part in parts_of("does it hurt and how much is it", 6)] == [True, True]
    assert [part.strong for part in parts_of("is it red and sore after", 6)] == [True, False]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("how much is it", True),
        ("also can I book", True),
        ("i need a code", True),
        ("two things: will it hurt", True),
        ("i was wondering whether that would help", True),
        ("my sister had them", False),
        ("why", False),
        ("this milia stays forever?", True),
        ("so roughly what am i looking at", True),
        ("if i leave them will they drop off", True),
        ("if it is milia", False),
        ("you can do it", False),
        ("sore after", False),
    ],
)
def test_the_form_of_a_question(text: str, asks: bool) -> None:
    assert Part(text, True).asks is asks


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("I've got a wedding", True),
        ("toothpaste didn't work", True),
        ("the moisturiser", False),
        ("if it doesn't hurt", False),
        ("is it red", False),
    ],
)
def test_what_tells_is_neither_a_question_nor_a_keyword(text: str, tells: bool) -> None:
    assert Part(text, True).tells is tells


def test_only_several_parts_are_handed_on(make: Make) -> None:
    one, two = message("does it hurt"), message("does it hurt? and the price?")
    make(ClauseSplitter).process([one, two])
    assert one.get(CLAUSE_SPANS) is None
    assert len(two.get(CLAUSE_SPANS)) == 2


def test_any_number_of_parts_is_bounded(make: Make) -> None:
    (long,) = make(ClauseSplitter, most_parts=4).process([message("why? " * 300)])
    assert len(long.get(CLAUSE_SPANS)) == 4
