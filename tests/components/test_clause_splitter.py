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
        ("do i see a doctor or you", ["do i see a doctor"]),
        ("morning or afternoon", ["morning or afternoon"]),
        ("what is the difference between milia and acne", ["what is the difference between milia and acne"]),
        (
            "what is the difference between milia and acne, and can I book",
            ["what is the difference between milia and acne", "can I book"],
        ),
        ("can someone call me about the cost", ["can someone call me", "the cost"]),
        ("can someone call me about this", ["can someone call me"]),
        ("would sardines help, do you think?", ["would sardines help, do you think?"]),
        ("cost / downtime / saturdays", ["cost", "downtime", "saturdays"]),
        ("need 1. the cause 2) what it costs", ["need", "the cause", "what it costs"]),
        ("mine are 1 mm. is 1.5 mm big", ["mine are 1 mm.", "is 1.5 mm big"]),
        ("will they drop off or do I need them out", ["will they drop off", "do I need them out"]),
        ("I lanced it (why is that bad) - it's hot", ["I lanced it", "why is that bad", "it's hot"]),
        ("do grown-up ones go", ["do grown-up ones go"]),
        ("will it hurt or swell or scar", ["will it hurt", "will it swell", "will it scar"]),
        ("is it sore or will it scar", ["is it sore", "will it scar"]),
        ("price downtime parking?", ["price", "downtime", "parking"]),
        ("how much notice do i need to give", ["how much notice do i need to give"]),
        ("can I pop it if not how do I get it off", ["can I pop it", "how do I get it off"]),
        ("what's this diagnosis thing do i have to pay", ["what's this diagnosis thing", "do i have to pay"]),
        ("email address", ["email address"]),
        ("phone number price", ["phone number", "price"]),
        ("milia removal", ["milia removal"]),
        ("", []),
        ("?!...", []),
    ],
)
def test_parts(text: str, parts: list[str]) -> None:
    assert [part.text for part in parts_of(text, 6)] == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("how much is it does it hurt", ["how much is it", "does it hurt"]),
        ("where are you what time do you open", ["where are you", "what time do you open"]),
        (
            "how does she get them out will they come back",
            ["how does she get them out", "will they come back"],
        ),
        ("what causes milia how do i get rid of them", ["what causes milia", "how do i get rid of them"]),
        ("do you freeze them does bupa cover it", ["do you freeze them", "does bupa cover it"]),
        ("whos sarah what's your number", ["whos sarah", "what's your number"]),
        ("my son has them on his nose will they go", ["my son has them on his nose", "will they go"]),
        # One question each, however many verbs it has.
        ("do you know how much it is", ["do you know how much it is"]),
        ("can you tell me what is in it", ["can you tell me what is in it"]),
        ("how long before the wedding should i come in", ["how long before the wedding should i come in"]),
        ("which moisturiser do you recommend", ["which moisturiser do you recommend"]),
        ("if i squeeze it will it scar", ["if i squeeze it will it scar"]),
        ("when they do it does it hurt", ["when they do it does it hurt"]),
        ("did my eye cream do this", ["did my eye cream do this"]),
        ("what will the lady do to my skin", ["what will the lady do to my skin"]),
        ("can an aesthetician do milia", ["can an aesthetician do milia"]),
        ("is there anything i need to bring", ["is there anything i need to bring"]),
    ],
)
def test_questions_that_follow_each_other_without_a_sign(text: str, parts: list[str]) -> None:
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
    splitter = make(ClauseSplitter, most_parts=4)
    for text in ("why? " * 300, "does it hurt how much is it " * 60, "is it red or sore or hot or " * 60):
        (long,) = splitter.process([message(text)])
        assert len(long.get(CLAUSE_SPANS)) == 4
