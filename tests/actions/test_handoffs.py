"""A link, a number or a code is given and recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa_sdk import Action

from actions.discount import ActionGiveDiscount
from actions.handoffs import ActionGivePhone, ActionHandOffBooking, ActionHandOffHuman
from tests.actions.conftest import Desk, change


@pytest.mark.parametrize(
    ("action", "response", "kind", "value"),
    [
        (ActionHandOffBooking(), "utter_book_appointment", "booking_link", "source=rest"),
        (ActionGivePhone(), "utter_ask_phone", "phone", "1300 455 792"),
        (ActionGiveDiscount(), "utter_ask_discount", "discount_code", "miliagone"),
        (ActionHandOffHuman(), "utter_contact_human", "human", "1300 455 792"),
    ],
)
def test_what_is_given_is_recorded(desk: Desk, action: Action, response: str, kind: str, value: str) -> None:
    (message,) = desk.runs(action, "please", "contact_human")
    assert message["response"] == response
    (given,) = desk.rows("booking_handoffs")
    assert given["kind"] == kind and value in given["value"]
    assert given["channel"] == "rest" and given["sender_id"] == "anna" and len(given["person_key"]) == 32


def test_whoever_asks_for_a_person_is_seen_by_staff(desk: Desk) -> None:
    desk.runs(ActionHandOffHuman(), "I want to complain, ring me on 0491 570 158", "contact_human")
    (question,) = desk.rows("unanswered_questions")
    assert question["text"] == "I want to complain, ring me on [phone]"


@pytest.mark.parametrize(("starts", "ends"), [("", "2020-01-01"), ("2999-01-01", "")])
def test_no_offer_no_code(clinic_file: Path, request: pytest.FixtureRequest, starts: str, ends: str) -> None:
    change(clinic_file, offer={"code": "miliagone", "terms": "15% off", "starts": starts, "ends": ends})
    desk: Desk = request.getfixturevalue("desk")
    (message,) = desk.runs(ActionGiveDiscount(), "code?", "ask_discount")
    assert message["response"] == "utter_no_offer"
    assert desk.rows("booking_handoffs") == []
