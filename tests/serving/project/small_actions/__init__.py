"""Custom actions that do what can be done, and what can go wrong."""

import time
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection


class ActionHours(Action):
    def name(self) -> str:
        return "action_hours"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> list[dict[str, Any]]:
        turns = sum(event["event"] == "user" for event in tracker.events)
        asked = (tracker.get_slot("asked") or 0) + 1
        dispatcher.utter_message(
            text=f"{tracker.sender_id} said {tracker.latest_message['text']!r}, turn {turns}."
        )
        dispatcher.utter_message(response="utter_hours", asked=asked)
        tracker.slots["asked"] = "changed in the action's own copy only"
        return [SlotSet("asked", asked)]


class ActionSlow(Action):
    def name(self) -> str:
        return "action_slow"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[dict[str, Any]]:
        time.sleep(1.5)
        dispatcher.utter_message(text="Done at last.")
        return []


class ActionBroken(Action):
    def name(self) -> str:
        return "action_broken"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[dict[str, Any]]:
        raise ValueError("this action is broken")


class ActionRefused(Action):
    def name(self) -> str:
        return "action_refused"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[dict[str, Any]]:
        raise ActionExecutionRejection(self.name(), "not now")


class ValidateVisitForm(FormValidationAction):
    def name(self) -> str:
        return "validate_visit_form"

    def validate_visitor(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> dict[str, Any]:
        return {"visitor": value.title() if len(value) < 20 else None}
