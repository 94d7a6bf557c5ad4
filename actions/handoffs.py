"""Handing a visitor on: to the online booking, to the phone line, to a person."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.questions import record
from actions.services import channel_of, clinic, full_intent, person_of, record_id, recorder
from bot.model import BookingHandoff, HandoffKind

HANDOFFS = {
    "book_appointment": HandoffKind.BOOKING_LINK,
    "ask_phone": HandoffKind.PHONE,
    "ask_discount": HandoffKind.DISCOUNT_CODE,
    "contact_human": HandoffKind.HUMAN,
}


def hand_off(tracker: Tracker, kind: HandoffKind) -> None:
    """Records what the visitor was given. A discount counts only while there is one."""
    offer = clinic().offer_at()
    values = {
        HandoffKind.BOOKING_LINK: clinic().booking_link(source=channel_of(tracker)),
        HandoffKind.PHONE: clinic().phone,
        HandoffKind.DISCOUNT_CODE: offer.code if offer else "",
        HandoffKind.HUMAN: clinic().phone,
    }
    if values[kind]:
        given = BookingHandoff(person_of(tracker), kind, values[kind], record_id(tracker, kind.value))
        recorder().hold(given)


class ActionHandOffBooking(Action):
    """Gives the booking link and the phone line."""

    def name(self) -> str:
        return "action_hand_off_booking"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        dispatcher.utter_message(response="utter_book_appointment")
        hand_off(tracker, HandoffKind.BOOKING_LINK)
        return []


class ActionGivePhone(Action):
    """Gives the phone line."""

    def name(self) -> str:
        return "action_give_phone"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        dispatcher.utter_message(response="utter_ask_phone")
        hand_off(tracker, HandoffKind.PHONE)
        return []


class ActionHandOffHuman(Action):
    """Tells how to reach a person, and passes the message to staff."""

    def name(self) -> str:
        return "action_hand_off_human"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        dispatcher.utter_message(response="utter_contact_human")
        hand_off(tracker, HandoffKind.HUMAN)
        latest = tracker.latest_message
        await record(tracker, latest.get("text") or "", full_intent(latest), latest)
        return []
