"""A message is understood from what another process is told of a conversation as it is here."""

import json
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components.callback_follower import MADE, was_spoken_of
from bot.components.context_reader import previous_topic, refused_before
from bot.serving.excerpt import MESSAGES, excerpt, tracker_of

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [faq]
slots: {callback_made: {type: any, influence_conversation: false, mappings: [{type: custom}]}}
forms: {callback_form: {required_slots: []}}
"""
)


def said(topic: str, text: str = "hm", **parsed: Any) -> UserUttered:
    intent, _, key = topic.partition("/")
    selected = {intent: {"response": {"intent_response_key": topic}}} if key else {}
    return UserUttered(
        text, {"name": intent}, [], {"intent": {"name": intent}, "response_selector": selected, **parsed}
    )


def turn(topic: str, *actions: str, **parsed: Any) -> list[Event]:
    done = [ActionExecuted(action) for action in actions or (f"utter_{topic}",)]
    return [said(topic, **parsed), *done, BotUttered("So."), ActionExecuted("action_listen")]


def told(tracker: DialogueStateTracker) -> DialogueStateTracker:
    return tracker_of(json.loads(json.dumps(excerpt(tracker))), DOMAIN)


def test_what_components_look_at_is_the_same() -> None:
    start = [ActionExecuted("action_session_start"), ActionExecuted("action_listen")]
    several = turn(
        "several_questions",
        "action_answer_several",
        clauses=[{"intent": "faq/pain"}, {"intent": "ask_price"}],
    )
    arranged = [
        *turn("give_details", "action_submit_callback"),
        SlotSet(MADE, {"id": "1", "callback_name": "Jane"}),
    ]
    conversations: list[list[Event]] = [
        [],
        start,
        [*start, *turn("faq/pain"), *turn("thank")],
        [*turn("faq/pain"), *start, *turn("greet")],
        [*start, *several, *turn("thank"), *turn("affirm")],
        [*start, *turn("out_of_scope", text="do you do fillers")],
        [*start, *arranged, *turn("thank")],
        [*start, *arranged, *turn("ask_price"), ActiveLoop("callback_form")],
        [*start, *(event for _ in range(20) for event in turn("faq/pain")), *turn("greet")],
    ]
    for events in conversations:
        here = DialogueStateTracker.from_events("visitor", events, DOMAIN.slots)
        there = told(here)
        for look_back in range(1, MESSAGES + 1):
            assert previous_topic(there, look_back) == previous_topic(here, look_back)
        assert refused_before(there) == refused_before(here)
        assert was_spoken_of(there) == was_spoken_of(here)
        assert there.get_slot(MADE) == here.get_slot(MADE)
        assert there.active_loop_name == here.active_loop_name


def test_a_long_conversation_is_told_of_in_brief() -> None:
    turns = [event for _ in range(500) for event in turn("faq/pain", intent_ranking=[{"name": "x"}] * 50)]
    long = excerpt(DialogueStateTracker.from_events("visitor", turns, DOMAIN.slots))
    assert len(json.dumps(long)) < 2000
    assert sum(len(event) == 2 for event in long["events"]) == MESSAGES
