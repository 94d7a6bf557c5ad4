"""A packed turn is small and comes back as Rasa wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.serving import standin

standin.install()

from rasa.shared.core import events as rasa_events  # noqa: E402
from rasa.shared.core.events import Event, deserialise_events  # noqa: E402

from bot.store.turn_codec import pack, pack_state, unpack, unpack_state  # noqa: E402

MODEL = {"model_id": "d5d3f2a1c0b94e6f8a7b6c5d4e3f2a1b", "assistant_id": "skin-matrix-milia"}
REPLY = (
    "Milia are small, hard, white bumps of keratin trapped under the skin, usually 1-2 mm in size. "
    "They are harmless and often appear around the eyes."
)


def parse_data(text: str, topic: str = "faq/what_are_milia") -> dict[str, Any]:
    """What a full pipeline sets for one message."""
    ranking = [{"name": f"faq/topic_{n}", "confidence": 0.9123456789 / (n + 1)} for n in range(40)]
    response = {
        "responses": [{"text": REPLY}],
        "confidence": 0.91234567,
        "intent_response_key": topic,
        "utter_action": f"utter_{topic}",
    }
    return {
        "text": text,
        "intent": {"name": "faq", "confidence": 0.9123456789},
        "entities": [],
        "text_tokens": [[0, 4], [5, 8]],
        "intent_ranking": ranking,
        "response_selector": {
            "all_retrieval_intents": ["faq"],
            "faq": {"response": response, "ranking": [dict(r) for r in ranking]},
        },
        "clauses": [{"text": text, "intent": topic, "confidence": 0.9}],
    }


def turn(text: str = "what are milia and why do I have them", at: float = 1795000000.0) -> list[Event]:
    """The events that one question and its answer add."""
    user = rasa_events.UserUttered(
        text,
        {"name": "faq", "confidence": 0.9123456789},
        parse_data=parse_data(text),  # type: ignore[arg-type]
        input_channel="website",
        message_id="5a1b2c3d4e5f60718293a4b5c6d7e8f9",
    )
    bot = rasa_events.BotUttered(
        REPLY,
        {
            "elements": None,
            "quick_replies": None,
            "buttons": [{"title": "Does it hurt?", "payload": "/faq/pain"}],
            "attachment": None,
            "image": None,
            "custom": {"links": [], "id": "8c1f0e2d"},
        },
        {"utter_action": "utter_faq/what_are_milia"},
    )
    events = [
        user,
        rasa_events.SlotSet("topic", "what_are_milia"),
        rasa_events.ActionExecuted("utter_faq", "policy_0_RulePolicy", 1.0, hide_rule_turn=True),
        bot,
        rasa_events.ActionExecuted("action_listen", "policy_0_RulePolicy", 1.0),
    ]
    for number, event in enumerate(events):
        event.timestamp = at + number * 0.001234
        event.metadata = {**event.metadata, **MODEL}
    user.parse_data["metadata"] = user.metadata
    return events


EVERY_KIND: list[Event] = [
    *turn(),
    rasa_events.UserUttered("no intent"),
    rasa_events.BotUttered(None, {"custom": {"a": None}}),
    rasa_events.SlotSet("emptied", None),
    rasa_events.SlotSet("listed", []),
    rasa_events.Restarted(),
    rasa_events.UserUtteranceReverted(),
    rasa_events.AllSlotsReset(),
    rasa_events.ActionReverted(),
    rasa_events.FollowupAction("action_book"),
    rasa_events.ConversationPaused(),
    rasa_events.ConversationResumed(),
    rasa_events.ActiveLoop("callback_form"),
    rasa_events.ActiveLoop(None),
    rasa_events.LoopInterrupted(True),
    rasa_events.ActionExecutionRejected("callback_form", "policy", 0.9),
    rasa_events.SessionStarted(),
    rasa_events.ActionExecuted(action_text="hello", confidence=0.5),
    rasa_events.DefinePrevUserUtteredFeaturization(False),
    rasa_events.EntitiesAdded([{"entity": "phone", "value": "0491 570 006"}]),
    rasa_events.ReminderScheduled("ping", trigger_date_time=rasa_events.datetime(2026, 11, 1)),
    rasa_events.ReminderCancelled("ping"),
    rasa_events.AgentUttered("hello"),
]


@pytest.mark.parametrize("event", EVERY_KIND, ids=lambda event: event.type_name)
def test_every_kind_of_event_comes_back(event: Event) -> None:
    back = deserialise_events(unpack(pack([event.as_dict()])))[0]
    assert type(back) is type(event)
    assert back.timestamp == pytest.approx(event.timestamp, abs=2e-6)
    assert back.metadata == event.metadata
    before, after = event.as_dict(), back.as_dict()
    for given in (before, after):
        given.pop("timestamp")
        given.pop("parse_data", None)
        given["data"] = {k: v for k, v in (given.get("data") or {}).items() if v is not None}
    assert after == before


def test_of_the_parse_data_what_is_needed_later_stays() -> None:
    event = turn("does it hurt\0 \ud800?")[0]
    parsed = unpack(pack([event.as_dict()]))[0]["parse_data"]
    assert parsed["text"] == "does it hurt \ufffd?"
    assert parsed["intent"] == {"name": "faq", "confidence": 0.9123}
    assert parsed["response_selector"]["faq"]["response"]["intent_response_key"] == "faq/what_are_milia"
    assert parsed["clauses"][0]["intent"] == "faq/what_are_milia"
    assert len(parsed["intent_ranking"]) == 3
    assert parsed["message_id"] == event.message_id  # type: ignore[attr-defined]
    assert parsed["entities"] == []


def test_a_turn_is_small() -> None:
    assert len(pack([event.as_dict() for event in turn()])) < 500


def test_a_later_releases_turn_is_refused_not_misread() -> None:
    with pytest.raises(ValueError, match="later release"):
        unpack(b"\x09" + pack([])[1:])


def test_a_state_comes_back() -> None:
    state = {"slots": {"name": "Zoë", "n": [1, 2.5, None]}, "loop": None, "paused": False}
    assert unpack_state(pack_state(state)) == state
