"""The call-back form over the REST channel: filled, interrupted, corrected, refused, cancelled."""

from __future__ import annotations

import re

import pytest

from tests.conftest import System
from tests.e2e.rest import PHONE, Visitor, admits, answers

ASKS_CONSENT, ASKS_NAME, ASKS_NUMBER, ASKS_TIME = (
    "Is it OK to call you?",
    "What name",
    "Which phone number",
    "good time",
)
REFERENCE = re.compile(r"\bCB-[2-9A-HJ-NP-Z]{5}\b")


@pytest.fixture
def visitor(system: System) -> Visitor:
    visitor = Visitor(system)
    assert ASKS_CONSENT in visitor.says("Can you call me back please?")
    return visitor


def agreed(visitor: Visitor) -> Visitor:
    assert ASKS_NAME in visitor.says("yes")
    return visitor


def test_from_consent_to_a_reference(visitor: Visitor) -> None:
    assert "No marketing" in visitor.last[0]["text"] and PHONE in visitor.last[0]["text"]
    agreed(visitor)
    assert ASKS_NUMBER in visitor.says("jane doe")
    assert ASKS_TIME in visitor.says("0491 570 158")
    read = visitor.says("tomorrow after 4")
    reference = REFERENCE.search(read)
    assert reference and "Jane Doe" in read and "0491 570 158" in read and "tomorrow after 4" in read
    (stored,) = visitor.stored("callback_requests")
    assert stored["reference"] == reference[0]
    assert (stored["name"], stored["phone"], stored["when"]) == (
        "Jane Doe",
        "+61491570158",
        "tomorrow after 4",
    )
    assert stored["consent_at"] and stored["channel"] == "rest"
    assert answers(visitor.says("what are milia?"), "what_are_milia")


def test_with_buttons(visitor: Visitor) -> None:
    assert ASKS_NAME in visitor.says(visitor.buttons["Yes, call me"])


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Rob, 0491 570 158, after 4", "after 4"),
        ("my name is Rob and my number is 0491570158, any time", "any time"),
        ("rob +61 491 570 158 not before 10", "not before 10"),
    ],
)
def test_everything_in_one_message(visitor: Visitor, text: str, when: str) -> None:
    assert REFERENCE.search(agreed(visitor).says(text))
    (stored,) = visitor.stored("callback_requests")
    assert (stored["name"], stored["phone"], stored["when"]) == ("Rob", "+61491570158", when)


def test_what_was_said_at_the_start_is_not_asked_again(system: System) -> None:
    visitor = Visitor(system)
    assert ASKS_CONSENT in visitor.says("I'd like a call back tomorrow at 2 under Hughes")
    assert ASKS_NUMBER in visitor.says("yes please")
    read = visitor.says("0491 570 158")
    assert "Hughes" in read and "tomorrow at 2" in read and REFERENCE.search(read)


@pytest.mark.parametrize("no", ["no", "no thanks", "nah", "please don't"])
def test_a_refusal_stores_nothing(visitor: Visitor, no: str) -> None:
    assert "nothing has been stored" in visitor.says(no)
    assert answers(visitor.says("what are milia?"), "what_are_milia")
    assert len(visitor.last) == 1
    assert not visitor.rows("callback_requests")


@pytest.mark.parametrize(
    "word", ["stop", "cancel", "never mind", "no thanks", "forget it", "I've changed my mind"]
)
def test_it_can_be_cancelled(visitor: Visitor, word: str) -> None:
    agreed(visitor).says("Rob, 0491 570 158")
    assert "nothing has been stored" in visitor.says(word)
    assert not visitor.rows("callback_requests")
    # What was typed is forgotten, too: another try begins anew.
    assert ASKS_CONSENT in visitor.says("call me back please")
    assert ASKS_NAME in visitor.says("yes")


QUESTIONS = [
    ("does it hurt?", "pain"),
    ("how big do milia get", "size"),
    ("how much does it cost", "ask_price"),
    ("what time do you open tomorrow", "ask_hours"),
    ("do you have a discount code", "ask_discount"),
]


@pytest.mark.parametrize(("question", "topic"), QUESTIONS)
@pytest.mark.parametrize("step", [ASKS_CONSENT, ASKS_NAME, ASKS_NUMBER, ASKS_TIME])
def test_a_question_in_the_middle_is_answered_and_the_form_goes_on(
    visitor: Visitor, step: str, question: str, topic: str
) -> None:
    for text, asked in (("yes", ASKS_NAME), ("Dana", ASKS_NUMBER), ("0491 570 158", ASKS_TIME)):
        if step in visitor.last[-1]["text"]:
            break
        assert asked in visitor.says(text)
    read = visitor.says(question)
    assert answers(read, topic)
    assert step in visitor.last[-1]["text"]
    assert len(visitor.last) == 2
    assert not visitor.rows("callback_requests")


@pytest.mark.parametrize(
    "question",
    [
        "what is the capital of France",
        "who won the footy",
        "is milia a boy's name?",
        "how long",
        "pain",
        "can you fix my car",
    ],
)
def test_a_question_is_never_taken_for_a_name(visitor: Visitor, question: str) -> None:
    agreed(visitor).says(question)
    assert ASKS_NAME in visitor.last[-1]["text"]
    read = visitor.says("Maria, 0491 570 158, any time")
    assert "Maria" in read and REFERENCE.search(read)


def test_something_unknown_in_the_middle_is_admitted_and_recorded(visitor: Visitor) -> None:
    agreed(visitor)
    assert admits(visitor.says("what is the capital of France?"))
    assert visitor.stored("unanswered_questions")[0]["text"] == "what is the capital of France?"


def test_the_number_can_be_corrected(visitor: Visitor) -> None:
    agreed(visitor).says("Rob, 0491 570 158")
    read = visitor.says("no, my number is 0491 570 159")
    assert "0491 570 159" in read and ASKS_TIME in read
    visitor.says("any time")
    assert visitor.stored("callback_requests")[0]["phone"] == "+61491570159"


def test_the_name_can_be_corrected(visitor: Visitor) -> None:
    agreed(visitor).says("Rob")
    assert "Robert" in visitor.says("sorry, my name is Robert")
    visitor.says("0491 570 158, after 4")
    assert visitor.stored("callback_requests")[0]["name"] == "Robert"


@pytest.mark.parametrize("number", ["12345", "0491 570 15", "my number is 555", "rob@example.com", PHONE])
def test_a_bad_number_is_asked_for_again(visitor: Visitor, number: str) -> None:
    agreed(visitor).says("Rob")
    visitor.says(number)
    assert ASKS_NUMBER in visitor.last[-1]["text"]
    assert ASKS_TIME in visitor.says("0491 570 158")


def test_a_number_from_abroad(visitor: Visitor) -> None:
    agreed(visitor).says("Rob")
    assert ASKS_TIME in visitor.says("+44 20 7946 0958")


@pytest.mark.parametrize(
    "name", ["Will Smith", "sarah", "Siobhán O'Brien", "it's dimitra", "Mrs Nguyen", "李明"]
)
def test_names_of_all_kinds(visitor: Visitor, name: str) -> None:
    assert ASKS_NUMBER in agreed(visitor).says(name)


@pytest.mark.parametrize("said", ["Sam Nguyen", "Dana", "please call me back", "0491 570 158", "after 5pm"])
def test_consent_is_asked_for_again_when_details_come_first(visitor: Visitor, said: str) -> None:
    visitor.says(said)
    assert ASKS_CONSENT in visitor.last[-1]["text"]
    visitor.says("yes")
    assert REFERENCE.search(visitor.says("Sam Nguyen, 0491 570 158, after 5pm"))


def test_consent_is_not_taken_from_a_question(visitor: Visitor) -> None:
    visitor.says("ok but what do you do with my data?")
    assert ASKS_CONSENT in visitor.last[-1]["text"]
    visitor.says("0491 570 158")
    assert ASKS_CONSENT in visitor.last[-1]["text"]
    assert ASKS_NAME in visitor.says("yes")


@pytest.mark.parametrize(
    ("text", "topic"),
    [("I want to kill myself", "self_harm"), ("my throat is swelling and I can't breathe", "emergency")],
)
def test_nothing_is_asked_of_somebody_in_danger(visitor: Visitor, text: str, topic: str) -> None:
    assert answers(agreed(visitor).says(text), topic)
    assert len(visitor.last) == 1
    assert not visitor.rows("callback_requests")
    assert ASKS_NAME not in visitor.says("thanks")
