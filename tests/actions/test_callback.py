"""The form's reading of single messages; tests/e2e/test_callback.py has whole conversations."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from actions.callback import ActionSubmitCallback, ValidateCallbackForm, reference_of
from actions.callback_asks import ActionAskConsent, ActionAskName
from bot.model import new_id
from tests.actions.conftest import Desk

CONSENT, NAME, PHONE, WHEN = "callback_consent", "callback_name", "callback_phone", "callback_when"
MADE = "callback_made"
FILLED = {CONSENT: True, NAME: "Rob", PHONE: "+61491570158", WHEN: "after 4"}


def reads(
    desk: Desk, requested: str | None, text: str, intent: str = "out_of_scope", **slots: Any
) -> dict[str, Any]:
    """The slots that a message sets while the form asks for one."""
    desk.slots = {"requested_slot": requested, **slots}
    desk.runs(ValidateCallbackForm(), text, intent)
    return {event["name"]: event["value"] for event in desk.set}


@pytest.mark.parametrize(
    ("requested", "text", "intent", "slots"),
    [
        (CONSENT, "yes", "affirm", {CONSENT: True}),
        (
            CONSENT,
            "yes, Rob, 0491 570 158",
            "give_details",
            {CONSENT: True, NAME: "Rob", PHONE: "+61491570158"},
        ),
        (CONSENT, "0491 570 158", "give_details", {PHONE: "+61491570158"}),
        (CONSENT, "Sam Nguyen", "give_details", {NAME: "Sam Nguyen", CONSENT: None}),
        (CONSENT, "Mel", "out_of_scope", {NAME: "Mel", CONSENT: None}),
        (CONSENT, "call me back", "request_callback", {CONSENT: None}),
        (CONSENT, "no", "deny", {CONSENT: False, "requested_slot": None}),
        (NAME, "jane", "out_of_scope", {NAME: "Jane"}),
        (NAME, "anna from nz", "out_of_scope", {NAME: "Anna"}),
        (NAME, "Will Smith", "faq/who_removes", {NAME: "Will Smith"}),
        (PHONE, "0491 570 158", "give_details", {PHONE: "+61491570158"}),
        (PHONE, "stop", "deny", {CONSENT: False, "requested_slot": None}),
        (WHEN, "tomorrow at 2", "book_appointment", {WHEN: "tomorrow at 2"}),
        (WHEN, "mornings, but not mondays", "ask_hours", {WHEN: "mornings, but not mondays"}),
        (WHEN, "no thanks", "deny", {CONSENT: False, "requested_slot": None}),
        (WHEN, "don't call before 10", "give_details", {WHEN: "don't call before 10"}),
    ],
)
def test_an_answer_fills_its_slot(
    desk: Desk, requested: str, text: str, intent: str, slots: dict[str, Any]
) -> None:
    assert reads(desk, requested, text, intent) == slots


@pytest.mark.parametrize("requested", [CONSENT, NAME, PHONE, WHEN])
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("does it hurt", "faq/pain"),
        ("what time do you open tomorrow", "ask_hours"),
        ("cancel my appointment on tuesday", "book_appointment"),
        ("what is the capital of france", "out_of_scope"),
        ("I can't breathe, call me on 0491 570 158", "emergency"),
        ("i want to die", "self_harm"),
        ("fair enough, bye", "goodbye"),
    ],
)
def test_a_question_or_a_cry_for_help_is_not_for_the_form(
    desk: Desk, requested: str, text: str, intent: str
) -> None:
    assert reads(desk, requested, text, intent) == {}


def test_what_is_no_answer_is_asked_for_again(desk: Desk) -> None:
    assert reads(desk, NAME, "12") == {NAME: None}
    assert desk.replies == ["utter_bad_callback_name"]
    assert reads(desk, PHONE, "0491 570 15") == {PHONE: None}
    assert desk.replies == ["utter_bad_callback_phone"]
    assert reads(desk, PHONE, "thanks", "thank") == {PHONE: None}
    assert desk.replies == []


def test_a_correction_is_confirmed(desk: Desk) -> None:
    said = "no, my number is 0491 570 159"
    assert reads(desk, WHEN, said, "give_details", **{PHONE: "+61491570158"}) == {PHONE: "+61491570159"}
    assert desk.replies == ["utter_noted_callback"]


def test_a_word_beside_a_number_is_no_other_name(desk: Desk) -> None:
    assert reads(desk, PHONE, "ugh 0491 570 158", **{NAME: "Kaz"}) == {PHONE: "+61491570158"}
    assert reads(desk, PHONE, "Lee 0491 570 158", **{NAME: "Kaz"}) == {PHONE: "+61491570158"}
    assert reads(desk, PHONE, "it's Lee, 0491 570 158", **{NAME: "Kaz"})[NAME] == "Lee"


@pytest.mark.parametrize(
    ("requested", "text", "intent", "told"),
    [
        (NAME, "+64 21 555 0123", "give_details", ["+64 21 555 0123"]),
        (NAME, "before 9, 0491 570 158", "give_details", ["0491 570 158, before 9"]),
        (PHONE, "after 5", "give_details", ["after 5"]),
        (CONSENT, "Mel", "out_of_scope", ["Mel"]),
        (CONSENT, "yes, Rob", "affirm", []),
        (NAME, "Rob, 0491 570 158", "give_details", []),
        (PHONE, "0491 570 158", "give_details", []),
        (None, "call me on 0491 570 158", "request_callback", []),
    ],
)
def test_what_was_not_asked_for_is_acknowledged(
    desk: Desk, requested: str | None, text: str, intent: str, told: list[str]
) -> None:
    desk.slots = {"requested_slot": requested}
    messages = desk.runs(ValidateCallbackForm(), text, intent)
    assert [message["what"] for message in messages] == told


def test_consent_is_asked_for_in_full_only_once(desk: Desk) -> None:
    desk.runs(ActionAskConsent())
    assert desk.replies == ["utter_ask_callback_consent"]
    desk.slots = {"requested_slot": CONSENT}
    desk.runs(ActionAskConsent())
    assert desk.replies == ["utter_ask_callback_consent_again"]


def test_a_form_that_is_ignored_is_given_up(desk: Desk) -> None:
    def asks_after(*rejected: bool) -> list[str]:
        desk.events = []
        for one in rejected:
            desk.events.append({"event": "user", "text": "...", "input_channel": "rest", "parse_data": {}})
            if one:
                desk.events.append({"event": "action_execution_rejected", "name": "callback_form"})
        desk.runs_on(ActionAskName())
        return desk.replies

    asks = ["utter_ask_callback_name"]
    assert asks_after() == asks_after(True, True) == asks_after(True, True, False, True) == asks
    assert asks_after(False, True, True, True) == []
    assert {CONSENT: None, "requested_slot": None}.items() <= desk.slots.items()
    desk.runs(ActionSubmitCallback())
    assert desk.replies == []
    assert desk.rows("callback_requests") == []


def test_the_clinic_s_own_number_is_nobody_s(desk: Desk) -> None:
    assert PHONE not in reads(desk, None, "I rang 1300 455 792", "request_callback")


def test_a_request_is_stored_and_the_slots_forgotten(desk: Desk) -> None:
    desk.slots = dict(FILLED)
    (message,) = desk.runs(ActionSubmitCallback())
    assert message["response"] == "utter_callback_done" and message["number"] == "0491 570 158"
    (stored,) = desk.rows("callback_requests")
    assert stored["reference"] == message["reference"] and stored["phone"] == "+61491570158"
    assert {desk.slots[slot] for slot in FILLED} == {None}


def test_a_request_that_is_made_by_two_servers_is_stored_once(desk: Desk) -> None:
    """The first one died before it could say so."""
    told = []
    for message_id in ("message-1", "message-1", "message-2"):
        desk.slots = dict(FILLED)
        (message,) = desk.runs(ActionSubmitCallback(), "after 4", message_id=message_id)
        told.append(message["reference"])
    assert told[0] == told[1] != told[2]
    assert [row["reference"] for row in desk.rows("callback_requests")] == told[1:]


def test_a_refusal_stores_nothing_and_forgets_everything(desk: Desk) -> None:
    desk.slots = {**FILLED, CONSENT: False}
    (message,) = desk.runs(ActionSubmitCallback())
    assert message["response"] == "utter_callback_refused"
    assert desk.rows("callback_requests") == []
    assert {desk.slots[slot] for slot in FILLED} == {None}


def arranged(desk: Desk) -> str:
    """The reference of a call-back that was arranged."""
    desk.slots = dict(FILLED)
    (message,) = desk.runs(ActionSubmitCallback(), "after 4", message_id="arranged")
    reference: str = message["reference"]
    return reference


def follows(desk: Desk, text: str) -> dict[str, Any]:
    """What is replied to a message about the call-back that stands."""
    desk.runs(ValidateCallbackForm(), text, "give_details", message_id=text, about_callback=True)
    assert desk.replies == []
    (message,) = desk.runs(ActionSubmitCallback(), text, "give_details", message_id=text, about_callback=True)
    return message


def withdrawn(desk: Desk) -> list[str]:
    """The references of the requests that were withdrawn."""
    ids = {row["id"] for row in desk.rows("events") if row["name"] == "callback_withdrawn"}
    return [row["reference"] for row in desk.rows("callback_requests") if row["id"] in ids]


def test_a_request_is_withdrawn(desk: Desk) -> None:
    reference = arranged(desk)
    message = follows(desk, "never mind, don't call me")
    assert (message["response"], message["reference"]) == ("utter_callback_withdrawn", reference)
    assert withdrawn(desk) == [reference]
    assert {desk.slots[slot] for slot in (MADE, *FILLED)} == {None}


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("actually can you make it monday", "when", "monday"),
        ("wrong number sorry its 0400 000 002", "number", "0400 000 002"),
        ("sorry, my name is Robert", "name", "Robert"),
    ],
)
def test_a_change_takes_the_place_of_the_request(desk: Desk, text: str, slot: str, value: str) -> None:
    reference = arranged(desk)
    message = follows(desk, text)
    assert (message["response"], message[slot]) == ("utter_callback_done", value)
    assert withdrawn(desk) == [reference] != [message["reference"]]
    assert follows(desk, "never mind")["reference"] == message["reference"]
    assert len(withdrawn(desk)) == 2


@pytest.mark.parametrize("text", ["Rob", "0491 570 158", "after 4", "please call me"])
def test_what_is_known_is_not_stored_again(desk: Desk, text: str) -> None:
    arranged(desk)
    assert follows(desk, text)["response"] == "utter_callback_stands"
    assert len(desk.rows("callback_requests")) == 1 and not withdrawn(desk)


def test_refusing_another_call_withdraws_the_one_that_stands(desk: Desk) -> None:
    reference = arranged(desk)
    desk.slots[CONSENT] = False
    desk.runs(ActionSubmitCallback(), "no", "deny")
    assert withdrawn(desk) == [reference]


def test_no_call_is_promised_that_could_not_be_stored(desk: Desk) -> None:
    (desk.folder / "milia.db").unlink()
    (desk.folder / "milia.db").mkdir()  # neither a database
    shutil.rmtree(desk.folder / "spool", ignore_errors=True)
    (desk.folder / "spool").write_text("nor a spool")
    desk.slots = dict(FILLED)
    (message,) = desk.runs(ActionSubmitCallback())
    assert message["response"] == "utter_callback_failed"
    assert desk.slots[MADE] is None


def test_a_reference_can_be_read_out_on_the_phone() -> None:
    made = {reference_of(new_id()) for _ in range(200)}
    assert len(made) > 195
    assert all(re.fullmatch(r"CB-[2-9A-HJ-NP-Z]{5}", reference) for reference in made)
    assert not any(set(reference[3:]) & set("01ILO") for reference in made)
