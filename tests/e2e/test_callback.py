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


@pytest.mark.parametrize("text", ["Mel", "forget it"])
def test_after_an_emergency_the_form_is_off(visitor: Visitor, text: str) -> None:
    agreed(visitor).says("my eye is swollen shut")
    read = visitor.says(text)
    assert len(visitor.last) == 1 and not admits(read)
    assert answers(read, "emergency") == (text == "Mel")


def test_consent_is_asked_for_shortly_when_something_else_was_said(visitor: Visitor) -> None:
    for said in ("+64 21 555 0123", "Anna", "morning", "cheers"):
        read = visitor.says(said)
        assert ASKS_CONSENT in read and "No marketing" not in read
        assert ("noted" in read) == (said != "cheers")
    read = visitor.says("yes")
    assert REFERENCE.search(read) and "Anna" in read and "+64 21 555 0123" in read and "morning" in read


def test_a_form_that_is_ignored_is_given_up(visitor: Visitor) -> None:
    for said, messages in (("does it hurt", 2), ("you are useless", 2), ("what is the number", 1)):
        visitor.says(said)
        assert len(visitor.last) == messages
    assert answers(visitor.says("what are milia"), "what_are_milia")
    assert len(visitor.last) == 1
    assert ASKS_CONSENT in visitor.says("0491 570 158")
    assert ASKS_NAME in visitor.says("yes")


def test_what_comes_early_is_acknowledged(visitor: Visitor) -> None:
    agreed(visitor)
    for said in ("+64 21 555 0123", "before 9"):
        read = visitor.says(said)
        assert said in read and ASKS_NAME in read
    assert "nickname" in visitor.says("rather not say")
    assert REFERENCE.search(visitor.says("anna from nz"))
    (stored,) = visitor.stored("callback_requests")
    assert (stored["name"], stored["when"]) == ("Anna", "before 9")


def test_a_word_beside_the_number_is_no_name(visitor: Visitor) -> None:
    agreed(visitor).says("Kaz")
    assert "Ugh" not in visitor.says("ugh 0491 570 158")
    assert "Kaz" in visitor.says("whenever")


# ------------------------------------------------------------ after it was arranged


def arranged(visitor: Visitor) -> Visitor:
    assert REFERENCE.search(agreed(visitor).says("Priya, 0491 570 158, any time after 3"))
    return visitor


def standing(visitor: Visitor) -> list[tuple[str, str, str]]:
    """The requests that were not withdrawn."""
    gone = {row["id"] for row in visitor.rows("events") if row["name"] == "callback_withdrawn"}
    requests = [row for row in visitor.rows("callback_requests") if row["id"] not in gone]
    return [(row["name"], row["phone"], row["when"]) for row in requests]


@pytest.mark.parametrize("words", [["never mind dont call me"], ["ta", "cancel that call"], ["forget it"]])
def test_a_request_can_be_withdrawn(visitor: Visitor, words: list[str]) -> None:
    arranged(visitor)
    read = [visitor.says(said) for said in words][-1]
    assert "cancelled" in read and REFERENCE.search(read)
    assert not standing(visitor)
    assert ASKS_CONSENT in visitor.says("call me back")


def test_a_request_can_be_changed(visitor: Visitor) -> None:
    assert "monday" in arranged(visitor).says("actually can you make it monday")
    assert "0400 000 002" in visitor.says("wrong number sorry its 0400 000 002")
    assert standing(visitor) == [("Priya", "+61400000002", "monday")]
    assert answers(visitor.says("how much is it"), "ask_price")
    assert "cancelled" in visitor.says("please don't call me")
    assert not standing(visitor)


def test_what_is_known_is_said_to_be(visitor: Visitor) -> None:
    arranged(visitor)
    for said in ("Priya", "0491 570 158", "after 3"):
        assert "I have that already" in visitor.says(said)
    assert standing(visitor) == [("Priya", "+61491570158", "any time after 3")]
