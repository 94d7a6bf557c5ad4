"""The call-back form: consent first, then name, number, time; interrupted, corrected, cancelled at will."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import clinic, full_intent, person_of, record_id, recorder
from bot.details import Details, as_name, as_time, asks, is_surely_name, read_details, shown_phone
from bot.model import CallbackRequest, utc_now
from bot.store.recorder import RecordLost

CONSENT, NAME, PHONE, WHEN = "callback_consent", "callback_name", "callback_phone", "callback_when"
REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that are mistaken for each other on the phone
MIN_QUESTION_WORDS = 3  # beside a name or a time

_CANCEL = re.compile(
    r"^\W*(?:(?:please|no|ok|actually|sorry|oh|wait)\W+)*(?:stop(?=\W*$| (?:it|this|that|please|the)\b)"
    r"|cancel(?: (?:it|that|this|the call ?back|please))?\W*$|never ?mind|forget (?:it|that|about it)"
    r"|don'?t (?:call|ring|bother|worry)\b|no call(?: ?back)?\b|leave it\b"
    r"|(?:i(?:'ve| have)? )?changed my mind)",
    re.IGNORECASE,
)
_NO = re.compile(r"^\W*(?:no|nah|nope)(?:\W+(?:thanks?|thank you|thx|ta|not now|no))*\W*$", re.IGNORECASE)
_YES = re.compile(
    r"^\W*(?:yes|yep|yeah|yup|ya|ok|okay|sure|fine|go ahead|of course|please do"
    r"|alright|sounds good|absolutely)\b",
    re.IGNORECASE,
)
_SAFETY = {"emergency", "self_harm"}
_FOR_THE_FORM = {"give_details", "request_callback"}
_NOT_A_QUESTION = {
    *_FOR_THE_FORM, "out_of_scope", "nlu_fallback", "affirm", "deny", "greet", "thank",
    "goodbye", "other_language", "",
}  # fmt: skip

Events = list[dict[str, Any]]


class ValidateCallbackForm(Action):
    """Reads every message while the form is open. Sets no slot when a message is not meant for the form,
    which lets Rasa answer it as the question that it is and come back to the form afterwards."""

    def name(self) -> str:
        return "validate_callback_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        text = tracker.latest_message.get("text") or ""
        intent = full_intent(tracker.latest_message)
        requested = tracker.get_slot("requested_slot")
        details = _details(text)
        if requested and intent in _SAFETY:
            return []
        if requested and _is_cancelled(text, intent, requested, details):
            return [SlotSet(CONSENT, False), SlotSet("requested_slot", None)]
        if requested and _is_question(text, intent, details):
            return []
        events = []
        if requested == CONSENT and (intent == "affirm" or (_YES.match(text) and details.any)):
            events.append(SlotSet(CONSENT, True))
        events += _given(tracker, dispatcher, details, requested)
        if not events and requested:
            events = _answer(dispatcher, text, requested, intent)
        return events


def _details(text: str) -> Details:
    """What a message says of the person; the clinic's own number, which it may name, is not theirs."""
    details = read_details(text)
    own = details.phone and read_details(clinic().phone).phone == details.phone
    return replace(details, phone=None) if own else details


def _is_question(text: str, intent: str, details: Details) -> bool:
    """Whether a message asks something. "Can you call me on 0491 570 158" gives something, and what is little
    more than a name or a time answers the form, whatever else its words may mean."""
    if details.phone or intent in _FOR_THE_FORM or is_surely_name(text):
        return False
    if intent in _NOT_A_QUESTION:
        return asks(text) and not details.any
    return asks(text) or not details.any or len(details.rest.split()) >= MIN_QUESTION_WORDS


def _is_cancelled(text: str, intent: str, requested: str, details: Details) -> bool:
    if _CANCEL.match(text) or _NO.match(text):
        return True
    return requested == CONSENT and intent == "deny" and not details.any


def _given(
    tracker: Tracker, dispatcher: CollectingDispatcher, details: Details, requested: str | None
) -> Events:
    """The slots that a message fills or corrects. A time alone is left to `_answer` when it was asked for."""
    events = []
    answers = requested == WHEN and not (details.name or details.phone)
    for slot, value in ((NAME, details.name), (PHONE, details.phone), (WHEN, details.when)):
        before = tracker.get_slot(slot)
        if value and value != before and not (slot == WHEN and answers):
            events.append(SlotSet(slot, value))
            if before and requested:
                what = shown_phone(value) if slot == PHONE else value
                dispatcher.utter_message(response="utter_changed_callback", what=what)
    return events


def _answer(dispatcher: CollectingDispatcher, text: str, requested: str, intent: str) -> Events:
    """What a message means as the answer to the question that the form has just asked."""
    if requested == NAME:
        name = as_name(text)
        if not name:
            dispatcher.utter_message(response="utter_bad_callback_name")
        return [SlotSet(NAME, name)]
    if requested == PHONE:
        dispatcher.utter_message(response="utter_bad_callback_phone")
        return [SlotSet(PHONE, None)]
    if requested == WHEN:
        return [SlotSet(WHEN, as_time(text))]
    if intent in _FOR_THE_FORM:  # said before the consent was given, which is asked for again
        given = [SlotSet(NAME, as_name(text))] if is_surely_name(text) else []
        return [*given, SlotSet(CONSENT, None)]
    return []


class ActionSubmitCallback(Action):
    """Stores the request when the person agreed, and forgets what they typed when they didn't."""

    def name(self) -> str:
        return "action_submit_callback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if tracker.get_slot(CONSENT) is True:
            request_id = record_id(tracker, "call-back")
            request = CallbackRequest(
                id=request_id,
                person=person_of(tracker),
                name=tracker.get_slot(NAME),
                phone=tracker.get_slot(PHONE),
                when=tracker.get_slot(WHEN),
                reference=reference_of(request_id),
                consent_at=utc_now(),
            )
            try:
                await asyncio.wrap_future(recorder().submit(request))
            except RecordLost:  # not even the spool could take it: never promise a call that nobody will make
                dispatcher.utter_message(response="utter_callback_failed")
            else:
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


def reference_of(request_id: str) -> str:
    """What a person quotes on the phone, for example CB-7F3KD."""
    number, letters = int(request_id, 16), ""
    for _ in range(5):
        number, letter = divmod(number, len(REFERENCE_LETTERS))
        letters += REFERENCE_LETTERS[letter]
    return f"CB-{letters}"
