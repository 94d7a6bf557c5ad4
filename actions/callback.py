"""The call-back form: consent first, then name, number, time; interrupted, corrected, cancelled at will."""

from __future__ import annotations

import re
import secrets
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import full_intent, person_of, recorder
from bot.details import Details, as_name, read_details, shown_phone
from bot.model import CallbackRequest, utc_now

CONSENT, NAME, PHONE, WHEN = "callback_consent", "callback_name", "callback_phone", "callback_when"
REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that are mistaken for each other on the phone

_CANCEL = re.compile(
    r"^\W*(?:(?:please|no|ok|actually|sorry)\W+)*(?:stop|cancel(?: (?:it|that|this|the call ?back))?"
    r"|never ?mind|forget (?:it|that|about it)"
    r"|don'?t (?:call|ring|bother)(?: me)?|no call(?: ?back)?|leave it|changed my mind)\b",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^\W*(?:yes|yep|yeah|yup|ya|ok|okay|sure|fine|go ahead|of course|please do|alright|sounds good"
    r"|absolutely)\b",
    re.IGNORECASE,
)
_NOT_A_QUESTION = {
    "give_details",
    "request_callback",
    "out_of_scope",
    "nlu_fallback",
    "affirm",
    "deny",
    "greet",
    "thank",
    "",
}


class ValidateCallbackForm(Action):
    """Reads every message while the form is open. Sets no slot when a message is not meant for the form,
    which lets Rasa answer it as the question that it is and come back to the form afterwards."""

    def name(self) -> str:
        return "validate_callback_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        text = tracker.latest_message.get("text") or ""
        intent = full_intent(tracker.latest_message)
        requested = tracker.get_slot("requested_slot")
        if requested and _is_cancelled(text, intent, requested):
            return [SlotSet(CONSENT, False), SlotSet("requested_slot", None)]
        details = read_details(text)
        if requested and intent not in _NOT_A_QUESTION and not details.phone:
            return []  # a question: it is answered, and the form goes on
        events = []
        if requested == CONSENT and (intent == "affirm" or (details.phone and _YES.match(text))):
            events.append(SlotSet(CONSENT, True))
        events += _given(tracker, dispatcher, details, requested)
        if not events and requested:
            events = _answer(dispatcher, text, intent, requested, details)
        return events


def _is_cancelled(text: str, intent: str, requested: str) -> bool:
    return bool(_CANCEL.match(text)) or (
        requested == CONSENT and intent == "deny" and not read_details(text).any
    )


def _given(
    tracker: Tracker, dispatcher: CollectingDispatcher, details: Details, requested: str | None
) -> list[dict[str, Any]]:
    """The slots that a message fills or corrects."""
    events = []
    for slot, value in ((NAME, details.name), (PHONE, details.phone), (WHEN, details.when)):
        before = tracker.get_slot(slot)
        if value and value != before:
            events.append(SlotSet(slot, value))
            if before and requested:
                what = shown_phone(value) if slot == PHONE else value
                dispatcher.utter_message(response="utter_changed_callback", what=what)
    return events


def _answer(
    dispatcher: CollectingDispatcher, text: str, intent: str, requested: str, details: Details
) -> list[dict[str, Any]]:
    """What a message means as the answer to the question that the form has just asked."""
    if requested == PHONE and details.bad_phone:
        dispatcher.utter_message(response="utter_bad_callback_phone")
        return [SlotSet(PHONE, None)]
    if "?" in text or intent not in _NOT_A_QUESTION:
        return []
    if requested == NAME:
        name = as_name(text)
        if not name:
            dispatcher.utter_message(response="utter_bad_callback_name")
        return [SlotSet(NAME, name)]
    if requested == PHONE:
        dispatcher.utter_message(response="utter_bad_callback_phone")
        return [SlotSet(PHONE, None)]
    if requested == WHEN:
        return [SlotSet(WHEN, text.strip()[:200] or None)]
    return []


class ActionSubmitCallback(Action):
    """Stores the request when the person agreed, and forgets what they typed when they didn't."""

    def name(self) -> str:
        return "action_submit_callback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if tracker.get_slot(CONSENT) is True:
            request = CallbackRequest(
                person=person_of(tracker),
                name=tracker.get_slot(NAME),
                phone=tracker.get_slot(PHONE),
                when=tracker.get_slot(WHEN),
                reference=new_reference(),
                consent_at=utc_now(),
            )
            await recorder().record_async(request)
            dispatcher.utter_message(
                response="utter_callback_done",
                name=request.name,
                number=shown_phone(request.phone),
                when=request.when,
                reference=request.reference,
            )
        else:
            dispatcher.utter_message(response="utter_callback_refused")
        return [SlotSet(slot, None) for slot in (CONSENT, NAME, PHONE, WHEN)]


def new_reference() -> str:
    """What a person quotes on the phone, for example CB-7F3KD."""
    return "CB-" + "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(5))
