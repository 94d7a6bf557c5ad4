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
from bot.callback_talk import NAME, PHONE, WHEN, calls_off, corrections
from bot.details import Details, as_name, as_time, asks, is_surely_name, read_details, shown_phone
from bot.model import CALLBACK_WITHDRAWN, CallbackRequest, Event, utc_now
from bot.store.recorder import RecordLost

CONSENT, MADE = "callback_consent", "callback_made"
REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that are mistaken for each other on the phone
MIN_QUESTION_WORDS = 3  # beside a name or a time

_NO = re.compile(r"^\W*(?:no|nah|nope)(?:\W+(?:thanks?|thank you|thx|ta|not now|no))*\W*$", re.IGNORECASE)
_YES = re.compile(
    r"^\W*(?:yes|yep|yeah|yup|ya|ok|okay|sure|fine|go ahead|of course|please do"
    r"|alright|sounds good|absolutely)\b",
    re.IGNORECASE,
)
_SAFETY = {"emergency", "self_harm"}
_FOR_THE_FORM = {"give_details", "request_callback"}
_POLITE = {"greet", "thank"}
_NOT_A_QUESTION = {
    *_FOR_THE_FORM, *_POLITE, "out_of_scope", "nlu_fallback", "affirm", "deny", "other_language", "",
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
        if tracker.latest_message.get("about_callback"):
            return _changed(tracker.get_slot(MADE), text, details)
        if requested and intent in _SAFETY:
            return []
        if requested and _is_cancelled(text, intent, requested, details):
            return [SlotSet(CONSENT, False), SlotSet("requested_slot", None)]
        if requested and _is_question(text, intent, details):
            return []
        new = _given(tracker, details, requested)
        if requested == CONSENT and (intent == "affirm" or (_YES.match(text) and details.any)):
            new = {CONSENT: True, **new}
        if not new and requested:
            new = _answer(dispatcher, text, requested, intent)
        if requested:
            _acknowledge(dispatcher, tracker, new, requested)
        return [SlotSet(slot, value) for slot, value in new.items()]


def _changed(made: dict[str, str], text: str, details: Details) -> Events:
    """The slots of the call-back that stands, as a message leaves it. The form is complete with them at once:
    consent to this call was given."""
    if calls_off(text):
        return [SlotSet(CONSENT, False), SlotSet("requested_slot", None)]
    filled = {slot: made[slot] for slot in (NAME, PHONE, WHEN)}
    filled.update(corrections(details, made))
    return [SlotSet(slot, value) for slot, value in {CONSENT: True, **filled}.items()]


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
    if calls_off(text) or _NO.match(text):
        return True
    return requested == CONSENT and intent == "deny" and not details.any


def _given(tracker: Tracker, details: Details, requested: str | None) -> dict[str, Any]:
    """The slots that a message fills or corrects. A time alone is left to `_answer` when it was asked for."""
    new = corrections(details, {slot: tracker.get_slot(slot) for slot in (NAME, PHONE, WHEN)})
    if requested == WHEN and not (details.name or details.phone):
        new.pop(WHEN, None)
    return dict(new)


def _answer(dispatcher: CollectingDispatcher, text: str, requested: str, intent: str) -> dict[str, Any]:
    """What a message means as the answer to the question that the form has just asked."""
    if requested == NAME:
        name = as_name(text)
        if not name:
            dispatcher.utter_message(response="utter_bad_callback_name")
        return {NAME: name}
    if requested == PHONE:
        if intent not in _POLITE:
            dispatcher.utter_message(response="utter_bad_callback_phone")
        return {PHONE: None}
    if requested == WHEN:
        return {WHEN: as_time(text)}
    if is_surely_name(text):  # said before the consent was given, which is asked for again
        return {NAME: as_name(text), CONSENT: None}
    return {CONSENT: None} if intent in _FOR_THE_FORM else {}


def _acknowledge(
    dispatcher: CollectingDispatcher, tracker: Tracker, new: dict[str, Any], requested: str
) -> None:
    """Says what was noted, where the next question doesn't show it: a correction, or another answer than the
    one to the question."""
    answered = new.get(requested) is not None
    told = [
        shown_phone(value) if slot == PHONE else value
        for slot, value in new.items()
        if slot != CONSENT and value and (tracker.get_slot(slot) or not answered)
    ]
    if told:
        dispatcher.utter_message(response="utter_noted_callback", what=", ".join(told))


class ActionSubmitCallback(Action):
    """Stores, changes or withdraws the request, as the person agreed, and forgets what the form was told.
    Says nothing when they neither agreed nor refused: the form was given up."""

    def name(self) -> str:
        return "action_submit_callback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        consent, made = tracker.get_slot(CONSENT), tracker.get_slot(MADE)
        wanted = {slot: tracker.get_slot(slot) for slot in (NAME, PHONE, WHEN)}
        changes = bool(made and tracker.latest_message.get("about_callback"))
        try:
            if consent is True and changes and wanted == {slot: made[slot] for slot in wanted}:
                dispatcher.utter_message(response="utter_callback_stands", **_told(made))
            elif consent is True:
                before, made = made, await _store(tracker, wanted)
                if changes:
                    await _withdraw(tracker, before)
                dispatcher.utter_message(response="utter_callback_done", **_told(made))
            elif consent is False and made:
                await _withdraw(tracker, made)
                dispatcher.utter_message(response="utter_callback_withdrawn", reference=made["reference"])
                made = None
            elif consent is False:
                dispatcher.utter_message(response="utter_callback_refused")
        except RecordLost:  # not even the spool could take it: never promise what nobody will see
            dispatcher.utter_message(response="utter_callback_failed")
        return [SlotSet(MADE, made), *(SlotSet(slot, None) for slot in (CONSENT, *wanted))]


async def _store(tracker: Tracker, wanted: dict[str, str]) -> dict[str, str]:
    """Stores a request; what is remembered of it while the conversation lasts."""
    request_id = record_id(tracker, "call-back")
    reference = reference_of(request_id)
    request = CallbackRequest(
        id=request_id,
        person=person_of(tracker),
        name=wanted[NAME],
        phone=wanted[PHONE],
        when=wanted[WHEN],
        reference=reference,
        consent_at=utc_now(),
    )
    await asyncio.wrap_future(recorder().submit(request))
    return {"id": request_id, "reference": reference, **wanted}


async def _withdraw(tracker: Tracker, made: dict[str, str]) -> None:
    """Takes a request back, even one that still waits in the spool."""
    withdrawal = Event(person_of(tracker), CALLBACK_WITHDRAWN, id=made["id"])
    await asyncio.wrap_future(recorder().submit(withdrawal))


def _told(made: dict[str, str]) -> dict[str, str]:
    return {
        "name": made[NAME],
        "number": shown_phone(made[PHONE]),
        "when": made[WHEN],
        "reference": made["reference"],
    }


def reference_of(request_id: str) -> str:
    """What a person quotes on the phone, for example CB-7F3KD."""
    number, letters = int(request_id, 16), ""
    for _ in range(5):
        number, letter = divmod(number, len(REFERENCE_LETTERS))
        letters += REFERENCE_LETTERS[letter]
    return f"CB-{letters}"
