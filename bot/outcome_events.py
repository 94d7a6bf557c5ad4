"""Counts what becomes of each message, for the outcome charts: an event of what happened, never its text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.utils.endpoints import EndpointConfig

from bot import metrics
from bot.answer_model import Answer
from bot.answer_source import shared_answers
from bot.clinic import Clinic
from bot.clinic_source import shared_clinic
from bot.model import Event, Person
from bot.settings import Settings, load_settings
from bot.store.recorder import Recorder, shared_recorder
from bot.topics import NO_ANSWERS, has_answer

_OUTCOMES = {
    "out_of_scope": "dont_know",
    "other_language": "dont_know",
    "none_of_these": "dont_know",
    "nlu_fallback": "asked_back",
    "request_callback": "callback_started",
    "emergency": "safety",
    "self_harm": "safety",
    "ask_medical": "safety",
}


class OutcomeBroker(EventBroker):
    """An event broker for endpoints.yml: `type: bot.outcome_events.OutcomeBroker`."""

    def __init__(self, settings: Settings, recorder: Recorder) -> None:
        self._settings = settings
        self._recorder = recorder
        self._clinic = shared_clinic(settings)
        self._answers = shared_answers(settings)

    @classmethod
    async def from_endpoint_config(
        cls, broker_config: EndpointConfig, event_loop: Any = None
    ) -> OutcomeBroker:
        settings = load_settings()
        return cls(settings, shared_recorder(settings))

    def publish(self, event: dict[str, Any]) -> None:
        """Records what a visitor's message was taken for, together with the turn, which is submitted right
        after."""
        if event.get("event") != "user" or not event.get("text"):
            return
        person = self._settings.person(event.get("input_channel") or "unknown", event["sender_id"])
        for item in events_of(event, person, self._clinic.clinic, self._answers.by_topic):
            self._recorder.hold(item)
            metrics.OUTCOMES.labels(person.channel, item.name).inc()


def events_of(
    event: Mapping[str, Any], person: Person, clinic: Clinic, answers: Mapping[str, Answer] = NO_ANSWERS
) -> Iterator[Event]:
    """The events of one message: that it came, and what each question in it got."""
    parsed = event.get("parse_data") or {}
    intent = full_intent(parsed)
    message_id = str(event.get("message_id") or event.get("timestamp"))
    yield Event(person, "message", {"intent": intent}, id=_id(person, message_id, "message"))
    intents = [clause.get("intent", "") for clause in parsed.get("clauses") or ()] or [intent]
    for place, topic in enumerate(intents):
        if outcome := outcome_of(topic, clinic, answers):
            yield Event(person, outcome, {"topic": topic}, id=_id(person, message_id, str(place)))


def outcome_of(intent: str, clinic: Clinic, answers: Mapping[str, Answer] = NO_ANSWERS) -> str | None:
    """What a question of this intent gets; None for small talk."""
    if intent in _OUTCOMES:
        return _OUTCOMES[intent]
    if has_answer(intent, clinic, answers):
        return None if intent == "bot_challenge" else "answered"
    return "not_published" if intent.startswith("ask_") else None


def full_intent(parsed: Mapping[str, Any]) -> str:
    """The intent with its sub-topic, such as `faq/pain`."""
    name = (parsed.get("intent") or {}).get("name") or ""
    selected = (parsed.get("response_selector") or {}).get(name) or {}
    return (selected.get("response") or {}).get("intent_response_key") or name


def _id(person: Person, *parts: str) -> str:
    return hashlib.sha256("\0".join((person.key, *parts)).encode()).hexdigest()[:32]
