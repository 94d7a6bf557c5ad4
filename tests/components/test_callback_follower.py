"""After a call-back was arranged, what is about it goes to the form; nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet
from rasa.shared.core.slots import AnySlot
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components.answer_decider import write
from bot.components.callback_follower import ABOUT_CALLBACK, CallbackFollower
from bot.components.decider import Decision
from bot.components.safety_guard import RED_FLAG
from tests.components.conftest import Make, message

MADE = {"callback_name": "Anna", "callback_phone": "+61491570158", "callback_when": "after 4"}
ARRANGED = (ActionExecuted("action_submit_callback"), SlotSet("callback_made", MADE))


def heard(make: Make, text: str, *events: Any, intent: str = "out_of_scope", **properties: Any) -> str | None:
    """The intent that a message gets after these events; None when it keeps its own."""
    asked = message(text, **properties)
    write(asked, Decision(intent, 0.5, clauses=(("a", "faq/pain"), ("b", "faq/size"))))
    slot = AnySlot("callback_made", mappings=[{"type": "custom"}])
    tracker = DialogueStateTracker.from_events("anna", list(events), slots=[slot])
    make(CallbackFollower).process([asked], tracker)
    parse = asked.as_dict(only_output_properties=True)
    if not parse.get(ABOUT_CALLBACK):
        assert parse["intent"]["name"] == intent and len(parse["clauses"]) == 2
        return None
    assert parse["clauses"] == []
    name: str = parse["intent"]["name"]
    return name


def test_what_is_about_the_call_goes_to_the_form(make: Make) -> None:
    assert heard(make, "can you make it monday", *ARRANGED, intent="book_appointment") == "give_details"
    assert (
        heard(make, "never mind", *ARRANGED, ActionExecuted("utter_thank"), intent="deny") == "give_details"
    )


def test_once_something_else_was_talked_about_the_call_has_to_be_named(make: Make) -> None:
    answered = (*ARRANGED, ActionExecuted("utter_faq"), ActionExecuted("action_listen"))
    assert heard(make, "never mind", *answered, intent="deny") is None
    assert heard(make, "don't call me", *answered, intent="deny") == "give_details"


@pytest.mark.parametrize("before", [(), (*ARRANGED, ActiveLoop("callback_form"))])
def test_without_a_call_that_stands_or_while_the_form_asks_nothing_is(
    make: Make, before: tuple[Any, ...]
) -> None:
    assert heard(make, "never mind", *before) is None


def test_symptoms_come_first(make: Make) -> None:
    assert heard(make, "don't call me", *ARRANGED, intent="self_harm") is None
    assert heard(make, "don't call me", *ARRANGED, **{RED_FLAG: "ask_medical"}) is None
