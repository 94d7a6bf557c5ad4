"""What staff settled is answered at once in the same words; symptoms come first all the same."""

from __future__ import annotations

from typing import Any

import pytest

from bot.answer_model import ResolvedQuestion
from bot.answer_source import FixedAnswers
from bot.components.answer_decider import write
from bot.components.context_reader import IN_CONTEXT
from bot.components.decider import Decision
from bot.components.resolved_questions import RESOLVED, ResolvedQuestions
from bot.components.safety_guard import RED_FLAG
from bot.components.text_normaliser import UNREADABLE, TextNormaliser
from bot.components.topic_classifier import READINGS, Reading
from bot.model import utc_now
from tests.components.conftest import Make, message

SETTLED = {
    "Is there parking nearby?": "faq/parking",
    "does it hurt": "faq/pain",
    "do you do tattoos": "out_of_scope",
    "it bleeds, is that ok": "faq/recovery",
}


def answered(make: Make, text: str, unless: str = "out_of_scope", **properties: Any) -> str:
    """The intent that a message gets, `unless` staff settled it."""
    resolved = [ResolvedQuestion(wording, intent, "Kim", utc_now()) for wording, intent in SETTLED.items()]
    asked = message(text, **{READINGS: [Reading(text, (("out_of_scope", 0.9), ("faq/pain", 0.1)), 0.2)]})
    make(TextNormaliser).process([asked])
    for name, value in properties.items():
        asked.set(name, value)
    if unless:
        clauses = (("one", "faq/size"), ("two", unless)) if unless == "ask_medical" else ()
        write(asked, Decision("several_questions" if clauses else unless, 0.5, clauses))
    ResolvedQuestions(FixedAnswers(resolved=resolved)).process([asked])
    parse = asked.as_dict(only_output_properties=True)
    assert bool(parse.get(RESOLVED)) is (parse["intent"]["confidence"] == 1.0)
    selected = parse["response_selector"].get(parse["intent"]["name"], {})
    return selected.get("response", {}).get("intent_response_key") or parse["intent"]["name"]


@pytest.mark.parametrize(
    "text", ["Is there parking nearby?", "is there  PARKING nearby", "Is there parking nearby!! 🚗"]
)
def test_the_same_words_get_what_staff_decided(make: Make, text: str) -> None:
    assert answered(make, text) == "faq/parking"


def test_other_words_are_left_to_the_classifier(make: Make) -> None:
    assert answered(make, "is there parking nearby for trucks") == "out_of_scope"
    assert answered(make, "???") == "out_of_scope"


def test_what_staff_refused_is_refused(make: Make) -> None:
    assert answered(make, "Do you do tattoos?", unless="faq/removal") == "out_of_scope"


@pytest.mark.parametrize("flag", ["emergency", "self_harm", "ask_medical"])
def test_symptoms_and_distress_come_first(make: Make, flag: str) -> None:
    assert answered(make, "it bleeds, is that ok", unless="emergency", **{RED_FLAG: flag}) == "emergency"


def test_several_questions_with_a_symptom_are_left_alone(make: Make) -> None:
    assert answered(make, "it bleeds, is that ok", unless="ask_medical") == "several_questions"


def test_what_leans_on_the_conversation_is_left_to_it(make: Make) -> None:
    assert answered(make, "does it hurt") == "faq/pain"
    assert answered(make, "does it hurt", unless="faq/size", **{IN_CONTEXT: "..."}) == "faq/size"
    assert answered(make, "is there parking nearby", **{IN_CONTEXT: "..."}) == "faq/parking"


def test_what_can_not_be_read_is_not_looked_up(make: Make) -> None:
    assert answered(make, "does it hurt", **{UNREADABLE: "too_long"}) == "out_of_scope"
