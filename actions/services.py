"""What actions work with, made when the first one needs it: settings, the clinic's facts, the recorder."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from rasa_sdk import Tracker

from bot.answer_source import shared_answers
from bot.clinic import Clinic
from bot.clinic_source import shared_clinic
from bot.model import Person, new_id
from bot.settings import Settings, load_settings
from bot.store.recorder import Recorder, shared_recorder
from bot.topics import has_answer


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings, read once a process."""
    return load_settings()


def clinic() -> Clinic:
    """The clinic's facts, as staff may have changed them just now."""
    return shared_clinic(settings()).clinic


def is_answered(intent: str) -> bool:
    """Whether the clinic has published an answer to questions of this intent by now."""
    return has_answer(intent, clinic(), shared_answers(settings()).by_topic)


def recorder() -> Recorder:
    """Where what happened is recorded."""
    return shared_recorder(settings())


def channel_of(tracker: Tracker) -> str:
    """The channel on which the person wrote last."""
    return tracker.get_latest_input_channel() or "unknown"


def person_of(tracker: Tracker) -> Person:
    """The person whose conversation this is."""
    return settings().person(channel_of(tracker), tracker.sender_id)


def record_id(tracker: Tracker, what: str) -> str:
    """The id of something that the latest message gives cause to record.

    The same when the message has to be answered again, by another server perhaps: it is recorded once.
    """
    ids = (event.get("message_id") for event in reversed(tracker.events) if event.get("event") == "user")
    message_id = next(ids, None)
    if not message_id:
        return new_id()
    told = "\0".join((tracker.sender_id, message_id, what))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def full_intent(latest: dict[str, Any]) -> str:
    """The intent of a message with its sub-topic, such as `faq/pain`."""
    name = (latest.get("intent") or {}).get("name") or ""
    selected = (latest.get("response_selector") or {}).get(name) or {}
    return (selected.get("response") or {}).get("intent_response_key") or name
