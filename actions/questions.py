"""Recording what could not be answered, so that staff see it; and what the visitor reads meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.services import full_intent, is_answered, person_of, record_id, recorder
from bot.model import Candidate, Reason, UnansweredQuestion
from bot.scrub import scrub

CONTEXT_TURNS = 6
_REASONS = {
    "nlu_fallback": Reason.FALLBACK,
    "none_of_these": Reason.NONE_OF_THESE,
    "emergency": Reason.RED_FLAG,
    "self_harm": Reason.RED_FLAG,
    "ask_medical": Reason.RED_FLAG,
}


def reason_for(intent: str) -> Reason:
    """Why a message with this intent goes to staff."""
    if intent in _REASONS:
        return _REASONS[intent]
    return Reason.NOT_PUBLISHED if intent.startswith("ask_") else Reason.OUT_OF_SCOPE


async def record(tracker: Tracker, text: str, intent: str, latest: dict[str, Any]) -> None:
    """Records one question, or the part of a message that is one, with the conversation before it: together
    with the turn, which follows.

    Not when a fact or an answer that the clinic has published since answered it."""
    if intent.startswith("ask_") and is_answered(intent):
        return
    item = await asyncio.to_thread(question, tracker, text, intent, latest)
    if item.text.strip():
        recorder().hold(item)


def question(tracker: Tracker, text: str, intent: str, latest: dict[str, Any]) -> UnansweredQuestion:
    """The scrubbed record of a question."""
    return UnansweredQuestion(
        person=person_of(tracker),
        text=scrub(text),
        reason=reason_for(intent),
        intent=intent,
        candidates=tuple(
            Candidate(candidate["name"], float(candidate["confidence"]))
            for candidate in latest.get("candidates") or ()
        ),
        language=latest.get("language") or "",
        context=context(tracker),
        id=record_id(tracker, f"question {text}"),
    )


def context(tracker: Tracker) -> tuple[tuple[str, str], ...]:
    """The turns before the latest message, scrubbed, oldest first."""
    said = [e for e in tracker.events if e.get("event") in {"user", "bot"} and e.get("text")]
    latest = max((place for place, event in enumerate(said) if event["event"] == "user"), default=0)
    return tuple(
        ("visitor" if event["event"] == "user" else "bot", scrub(event["text"]))
        for event in said[:latest][-CONTEXT_TURNS:]
    )


class ActionRecordQuestion(Action):
    """Records the latest message for staff; the reply comes from domain.yml."""

    def name(self) -> str:
        return "action_record_question"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        latest = tracker.latest_message
        await record(tracker, _asked(tracker), full_intent(latest), latest)
        return []


def _asked(tracker: Tracker) -> str:
    """What the visitor typed; "none of these" stands for the question that was offered choices before it."""
    typed = [event["text"] for event in tracker.events if event.get("event") == "user" and event.get("text")]
    if full_intent(tracker.latest_message) == "none_of_these" and len(typed) > 1:
        return typed[-2]
    return typed[-1] if typed else ""
