"""What could not be answered is recorded: scrubbed, with its reason, its candidates and what came before."""

from __future__ import annotations

import json

import pytest

from actions import services
from actions.questions import ActionRecordQuestion, reason_for
from bot.answer_model import Answer
from bot.answer_source import FixedAnswers, share
from bot.model import Reason
from tests.actions.conftest import Desk


@pytest.mark.parametrize(
    ("intent", "reason"),
    [
        ("out_of_scope", Reason.OUT_OF_SCOPE),
        ("other_language", Reason.OUT_OF_SCOPE),
        ("nlu_fallback", Reason.FALLBACK),
        ("none_of_these", Reason.NONE_OF_THESE),
        ("ask_price", Reason.NOT_PUBLISHED),
        ("ask_medical", Reason.RED_FLAG),
        ("emergency", Reason.RED_FLAG),
        ("self_harm", Reason.RED_FLAG),
    ],
)
def test_the_reason(intent: str, reason: Reason) -> None:
    assert reason_for(intent) is reason


def test_it_is_scrubbed_and_keeps_the_conversation_before_it(desk: Desk) -> None:
    desk.events += [
        {"event": "user", "text": "hi, I'm Emma Jones"},
        {"event": "bot", "text": "Hi, welcome!"},
    ]
    candidates = [{"name": "ask_price", "confidence": 0.4}]
    desk.runs(
        ActionRecordQuestion(),
        "is it 50? emma@example.com",
        "ask_price",
        candidates=candidates,
        language="es",
    )
    (question,) = desk.rows("unanswered_questions")
    assert question["text"] == "is it 50? [email]"
    assert question["reason"] == "not_published" and question["language"] == "es"
    assert json.loads(question["candidates"]) == [{"intent": "ask_price", "confidence": 0.4}]
    assert json.loads(question["context"]) == [["visitor", "hi, I'm [name]"], ["bot", "Hi, welcome!"]]


def test_none_of_these_records_the_question_that_it_answers(desk: Desk) -> None:
    desk.events += [{"event": "user", "text": "stuff for face"}, {"event": "bot", "text": "Did you mean?"}]
    desk.runs(ActionRecordQuestion(), "None of these", "none_of_these")
    (question,) = desk.rows("unanswered_questions")
    assert (question["text"], question["reason"]) == ("stuff for face", "none_of_these")


def test_what_staff_answer_by_now_is_not_recorded_but_what_only_a_person_may_answer_is(desk: Desk) -> None:
    written = [Answer("ask_price", "Prices", "From $90."), Answer("ask_medical", "Medical", "See your GP.")]
    share(
        services.settings(), FixedAnswers([*written, Answer("ask_policy", "Terms", "?", is_answered=False)])
    )
    for intent in ("ask_price", "ask_policy", "ask_medical"):
        desk.runs(ActionRecordQuestion(), f"about {intent}", intent)
    recorded = [question["intent"] for question in desk.rows("unanswered_questions")]
    assert sorted(recorded) == ["ask_medical", "ask_policy"]


@pytest.mark.parametrize("text", ["", "   "])
def test_a_blank_message_is_not_recorded(desk: Desk, text: str) -> None:
    desk.runs(ActionRecordQuestion(), text, "out_of_scope")
    assert desk.rows("unanswered_questions") == []
