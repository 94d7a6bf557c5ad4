"""A follow-up is read as the question that it goes on with."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components.context_reader import (
    ELLIPTICAL,
    IN_CONTEXT,
    PREVIOUS_TOPIC,
    REFUSED_BEFORE,
    ContextReader,
    in_context,
    is_elliptical,
    previous_topic,
)
from tests.components.conftest import Make, message


def said(topic: str, **more: Any) -> UserUttered:
    intent, _, key = topic.partition("/")
    selector = {intent: {"response": {"intent_response_key": topic}}} if key else {}
    return UserUttered("...", parse_data={"intent": {"name": intent}, "response_selector": selector, **more})


def conversation(*events: Any) -> DialogueStateTracker:
    return DialogueStateTracker.from_events("anna", list(events))


@pytest.mark.parametrize(
    ("text", "topic", "holds"),
    [
        ("how long?", "faq/pain", "milia removal"),
        ("does it hurt?", "faq/removal", "milia removal"),
        ("and around the eyes?", "faq/pain", "does milia removal hurt around the eyes"),
        ("does it suit dry skin", "faq/products", "moisturiser"),
        ("what about laser", "faq/removal", "laser"),
        ("even under the eyes?", "faq/pain", "does milia removal hurt even under the eyes"),
        ("i'm vegan", "faq/omega3", "does fish oil help milia, i'm vegan"),
        ("what about the other one?", "faq/products", "which moisturiser"),
    ],
)
def test_a_follow_up(text: str, topic: str, holds: str) -> None:
    assert holds in (in_context(text, topic) or "")


@pytest.mark.parametrize(
    "text", ["", "?", "milia", "hello there", "my sister has had milia for more than two years now"]
)
def test_what_stands_by_itself(text: str) -> None:
    assert in_context(text, "faq/pain") is None


def test_few_words_mean_little_alone() -> None:
    assert is_elliptical("how long?") and is_elliptical("around the left eye only")
    assert not is_elliptical("how long does the redness last")


def test_the_topic_before() -> None:
    assert previous_topic(conversation(said("faq/pain"), said("thank")), 3) == "faq/pain"
    assert previous_topic(conversation(said("thank")), 3) is None
    assert previous_topic(conversation(), 3) is None


def test_of_several_questions_the_last_counts() -> None:
    several = said("several_questions", clauses=[{"intent": "faq/pain"}, {"intent": "ask_price"}])
    assert previous_topic(conversation(several), 3) == "ask_price"


def test_a_new_session_and_long_ago_are_forgotten() -> None:
    new = conversation(said("faq/pain"), ActionExecuted("action_session_start"))
    assert previous_topic(new, 3) is None
    old = conversation(said("faq/pain"), said("thank"), said("thank"), said("thank"))
    assert previous_topic(old, 3) is None


def test_the_properties_are_set(make: Make) -> None:
    follow_up, first = message("how long?"), message("how long?")
    make(ContextReader).process([follow_up], conversation(said("faq/pain")))
    make(ContextReader).process([first], conversation())
    assert follow_up.get(PREVIOUS_TOPIC) == "faq/pain"
    assert follow_up.get(IN_CONTEXT) and follow_up.get(ELLIPTICAL)
    assert first.get(IN_CONTEXT) is None


def test_it_is_what_was_not_known_just_now(make: Make) -> None:
    refused = said("out_of_scope")
    refused.text = "do you do botox"
    for text, before, found in (
        ("how much is it", [refused], "do you do botox"),
        ("how much is botox", [refused], None),
        ("how much is it", [refused, said("faq/pain")], None),
        ("how much is it", [said("faq/pain"), refused], None),
    ):
        next_one = message(text)
        make(ContextReader).process([next_one], conversation(*before))
        assert next_one.get(REFUSED_BEFORE) == found
