"""How the call-back form asks: in full at first, shortly when it comes back, no more when it is ignored."""

from __future__ import annotations

from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.callback import CONSENT
from bot.callback_talk import NAME, PHONE, WHEN

FORM = "callback_form"
REMINDERS = 2  # after so many other messages in a row the person wants something else


class _Asks:
    """Asks for a slot, or ends the form without a word when its reminders were ignored."""

    slot: ClassVar[str]

    def name(self) -> str:
        return f"action_ask_{self.slot}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if ignored(tracker) > REMINDERS:
            return [SlotSet(CONSENT, None), SlotSet("requested_slot", None)]
        dispatcher.utter_message(response=self.response(tracker))
        return []

    def response(self, tracker: Tracker) -> str:
        """How it asks now."""
        return f"utter_ask_{self.slot}"


class ActionAskConsent(_Asks, Action):
    """Says what for and for how long only once."""

    slot = CONSENT

    def response(self, tracker: Tracker) -> str:
        again = tracker.get_slot("requested_slot") == CONSENT
        return super().response(tracker) + ("_again" if again else "")


class ActionAskName(_Asks, Action):
    slot = NAME


class ActionAskPhone(_Asks, Action):
    slot = PHONE


class ActionAskWhen(_Asks, Action):
    slot = WHEN


def ignored(tracker: Tracker) -> int:
    """How many of the latest messages in a row were not meant for the form."""
    messages, rejected = 0, False
    for event in reversed(tracker.events):
        if event["event"] == "action_execution_rejected" and event["name"] == FORM:
            rejected = True
        elif event["event"] == "user":
            if not rejected:
                break
            messages, rejected = messages + 1, False
    return messages
