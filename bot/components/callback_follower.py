"""Notices what is said about a call-back that has just been arranged, and is otherwise no question at all."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.callback_talk import goes_on
from bot.components.answer_decider import AnswerDecider, write
from bot.components.decider import Decision
from bot.components.resolved_questions import FIRST
from bot.components.safety_guard import RED_FLAG

ABOUT_CALLBACK = "about_callback"  # message property: it changes, withdraws or repeats what was arranged
MADE = "callback_made"
ARRANGES = "action_submit_callback"
SMALL_TALK = frozenset({"action_listen", "utter_thank", "utter_affirm", "utter_deny", "utter_greet"})


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class CallbackFollower(GraphComponent):
    """Overrules the decision where a message is about the call-back: the form reads it once more. "Make it
    monday" would be an appointment anywhere else."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It overrules the decision."""
        return [AnswerDecider]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml: none."""
        return {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CallbackFollower:
        """Creates a new component (see parent class for full docstring)."""
        return cls()

    def process(self, messages: list[Message], tracker: DialogueStateTracker) -> list[Message]:
        """Looks at incoming messages while a call-back stands and the form is closed."""
        made = tracker.slots[MADE].value if MADE in tracker.slots else None
        if not made or tracker.active_loop_name:
            return messages
        fresh = was_spoken_of(tracker)
        for message in messages:
            intent = (message.get(INTENT) or {}).get(INTENT_NAME_KEY) or ""
            if message.get(RED_FLAG) or intent in FIRST:
                continue
            if goes_on(message.get(TEXT) or "", intent, made, fresh):
                write(message, Decision("give_details", 1.0))
                message.set(ABOUT_CALLBACK, True, add_to_output=True)
        return messages


def was_spoken_of(tracker: DialogueStateTracker) -> bool:
    """Whether the call-back was the last thing that was talked about, small talk aside."""
    for event in reversed(tracker.events):
        if isinstance(event, ActionExecuted) and event.action_name not in SMALL_TALK:
            return bool(event.action_name == ARRANGES)
    return False
