"""Choices are offered; another language is answered in it."""

from __future__ import annotations

import pytest

from actions.unsure import ActionAskWhich, ActionSayLanguage
from tests.actions.conftest import Desk


def test_at_most_three_are_offered(desk: Desk) -> None:
    names = ["faq/pain", "faq/size", "ask_price", "ask_hours"]
    candidates = [{"name": name, "confidence": 0.2} for name in names]
    (message,) = desk.runs(ActionAskWhich(), "cream", "nlu_fallback", candidates=candidates)
    assert message["response"] == "utter_ask_which"
    assert message["offers"] == names[:3]


@pytest.mark.parametrize(
    ("language", "response"), [("es", "es"), ("zh", "zh"), ("fr", "other"), (None, "other")]
)
def test_the_reply_is_in_their_language(desk: Desk, language: str | None, response: str) -> None:
    (message,) = desk.runs(ActionSayLanguage(), "¿cuánto cuesta?", "other_language", language=language)
    assert message["response"] == f"utter_other_language_{response}"
    (question,) = desk.rows("unanswered_questions")
    assert question["text"] == "¿cuánto cuesta?"
