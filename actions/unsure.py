"""When it isn't sure, or can't read the language: offering choices, saying so, and recording it."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.questions import record

MAX_OFFERS = 3
LANGUAGES_WITH_A_REPLY = {"zh", "yue", "ar", "vi", "pa", "el", "it", "hi", "es", "ko"}


class ActionAskWhich(Action):
    """Asks "did you mean", with the titles of the topics that came close."""

    def name(self) -> str:
        return "action_ask_which"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        candidates = tracker.latest_message.get("candidates") or ()
        offers = [candidate["name"] for candidate in candidates][:MAX_OFFERS]
        dispatcher.utter_message(response="utter_ask_which", offers=offers)
        return []


class ActionSayLanguage(Action):
    """Says, in the visitor's language where it can, that it only speaks English."""

    def name(self) -> str:
        return "action_say_language"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        latest = tracker.latest_message
        language = latest.get("language") or "other"
        known = language if language in LANGUAGES_WITH_A_REPLY else "other"
        dispatcher.utter_message(response=f"utter_other_language_{known}")
        await record(tracker, latest.get("text") or "", "out_of_scope", latest)
        return []
