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
        ("", []),
        ("?!...", []),
    ],
)
def test_parts(text: str, parts: list[str]) -> None:
    assert [part.text for part in parts_of(text, 6)] == parts


def test_a_question_keeps_what_was_told_before_it() -> None:
    (part,) = parts_of("big cyst on my back with a smelly centre, can you squeeze it out", 6)
    assert part.text == "can you squeeze it out"
    assert part.in_full == "big cyst on my back with a smelly centre, can you squeeze it out"


@pytest.mark.parametrize(
    "text",
    [
        "thanks so much for that, how much is it",
        "fish oil yes or no, also is it my eye cream",
        "is it true fish oil helps? will it hurt",
    ],
)
def test_thanks_questions_and_additions_are_told_for_themselves(text: str) -> None:
    assert [part.told for part in parts_of(text, 6)] == ["", ""]


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
        ("sore after", False),
    ],
)
def test_the_form_of_a_question(text: str, asks: bool) -> None:
    assert Part(text, True).asks is asks


def test_only_several_parts_are_handed_on(make: Make) -> None:
    one, two = message("does it hurt"), message("does it hurt? and the price?")
    make(ClauseSplitter).process([one, two])
    assert one.get(CLAUSE_SPANS) is None
    assert len(two.get(CLAUSE_SPANS)) == 2


def test_any_number_of_parts_is_bounded(make: Make) -> None:
    (long,) = make(ClauseSplitter, most_parts=4).process([message("why? " * 300)])
    assert len(long.get(CLAUSE_SPANS)) == 4
