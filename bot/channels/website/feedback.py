"""What visitors do with a reply: thumbs and links, for the charts; a thumb down is a question for staff."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.events import Event as TrackerEvent

from bot.clinic import Clinic
from bot.model import Candidate, Event, Person, Reason, UnansweredQuestion
from bot.scrub import scrub

TURNS_OF_CONTEXT = 6


def thumb_event(person: Person, reply_id: str, up: bool, question: UserUttered | None) -> Event:
    """What the charts count. The same thumb on the same reply is the same event."""
    name = "thumbs_up" if up else "thumbs_down"
    return Event(
        person, name, {"reply": reply_id, "intent": topic_of(question)}, id=_id(person, name, reply_id)
    )


def click_event(person: Person, target: str, clinic: Clinic) -> Event | None:
    """What the charts count of an opened link; None when it isn't to the booking page or the phone."""
    if target == clinic.phone_link:
        return Event(person, "link_clicked", {"link": "phone"})
    if clinic.is_booking(target):
        return Event(person, "link_clicked", {"link": "booking"})
    return None


def unhelped_question(
    person: Person, reply_id: str, said: Sequence[TrackerEvent], question: UserUttered
) -> UnansweredQuestion:
    """The question behind a thumbs down, for the review queue.

    Args:
        said: what visitor and bot said, up to the reply.
    """
    before = said[: said.index(question)][-TURNS_OF_CONTEXT:]
    return UnansweredQuestion(
        person,
        scrub(question.text),
        Reason.THUMBS_DOWN,
        intent=topic_of(question),
        candidates=tuple(
            Candidate(str(candidate.get("name")), float(candidate.get("confidence") or 0))
            for candidate in question.parse_data.get("candidates") or ()
        ),
        language=str(question.parse_data.get("language") or ""),
        context=tuple(
            ("visitor" if isinstance(event, UserUttered) else "bot", scrub(event.text)) for event in before
        ),
        id=_id(person, "question", reply_id),
    )


def said_up_to(reply_id: str, events: Sequence[TrackerEvent]) -> list[TrackerEvent] | None:
    """What visitor and bot said up to this reply; None when the conversation doesn't hold the reply."""
    said = [event for event in events if isinstance(event, (UserUttered, BotUttered)) and event.text]
    for place, event in enumerate(said):
        if isinstance(event, BotUttered) and _custom(event).get("id") == reply_id:
            return said[: place + 1]
    return None


def question_of(said: Sequence[TrackerEvent]) -> UserUttered | None:
    """The message that the last of these replies answers."""
    return next((event for event in reversed(said) if isinstance(event, UserUttered)), None)


def topic_of(question: UserUttered | None) -> str:
    """The full intent that was recognised, for example `faq/pain`."""
    if question is None:
        return ""
    return str(question.full_retrieval_intent_name or question.intent_name or "")


def _custom(event: BotUttered) -> Mapping[str, Any]:
    return event.data.get("custom") or {}


def _id(person: Person, *parts: str) -> str:
    return hashlib.sha256("\0".join((person.key, *parts)).encode()).hexdigest()[:32]
