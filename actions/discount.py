"""The discount: code and terms together, and nothing once the offer has ended."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.handoffs import hand_off
from actions.services import clinic
from bot.model import HandoffKind


def discount_response() -> str:
    """The response that is true today."""
    return "utter_ask_discount" if clinic().offer_at() else "utter_no_offer"


class ActionGiveDiscount(Action):
    """Gives the code while the offer stands."""

    def name(self) -> str:
        return "action_give_discount"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        dispatcher.utter_message(response=discount_response())
        hand_off(tracker, HandoffKind.DISCOUNT_CODE)
        return []
