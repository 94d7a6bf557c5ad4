"""Several questions in one message: each answered in order, what is not known admitted and recorded."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.discount import discount_response
from actions.handoffs import HANDOFFS, hand_off
from actions.questions import record

MAX_PART_CHARACTERS = 80
ANSWERED = {"ask_discount", "ask_phone", "ask_help", "ask_privacy"}


class ActionAnswerSeveral(Action):
    """One reply out of the answers to the clauses that bot/components/several.py found."""

    def name(self) -> str:
        return "action_answer_several"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        latest = tracker.latest_message
        parts = []
        for clause in latest.get("clauses") or ():
            intent, text = clause["intent"], clause["text"]
            parts.append({"response": response_for(intent), "part": shortened(text)})
            if intent in HANDOFFS:
                hand_off(tracker, HANDOFFS[intent])
            if goes_to_staff(intent):
                await record(tracker, text, intent, latest)
        dispatcher.utter_message(response="utter_several", parts=parts)
        return []


def goes_to_staff(intent: str) -> bool:
    """Whether a clause has no answer of the clinic's, so that staff have to see it."""
    return intent == "out_of_scope" or (intent.startswith("ask_") and intent not in ANSWERED)


def response_for(intent: str) -> str:
    """The response that answers a clause of this intent."""
    if intent == "out_of_scope":
        return "utter_part_unknown"
    if intent == "greet":
        return "utter_part_greet"
    if intent == "ask_discount":
        return discount_response()
    if intent == "request_callback":
        return "utter_contact_human"
    return f"utter_{intent}"


def shortened(text: str) -> str:
    """A clause as it is quoted back."""
    text = text.strip(" ,.?!&+-")
    return text if len(text) <= MAX_PART_CHARACTERS else text[: MAX_PART_CHARACTERS - 1].rstrip() + "…"
