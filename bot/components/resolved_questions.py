"""Answers at once what staff have settled: the same words get what they decided, before any training."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.answer_source import Answers, shared_answers
from bot.components.answer_decider import MEDICAL, SAFETY, AnswerDecider, write
from bot.components.context_reader import IN_CONTEXT, leans_on_context
from bot.components.decider import Decision
from bot.components.safety_guard import RED_FLAG
from bot.components.text_normaliser import UNREADABLE
from bot.components.topic_classifier import READINGS, Reading
from bot.settings import load_settings

RESOLVED = "resolved"  # message property: staff settled this wording
FIRST = frozenset({*SAFETY, *MEDICAL})


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class ResolvedQuestions(GraphComponent):
    """Overrules the decision where staff have made one. Symptoms and distress come first all the same, and
    what means something else after another topic ("how long?") is left to the conversation."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It overrules the decision."""
        return [AnswerDecider]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml: none."""
        return {}

    def __init__(self, answers: Answers | None = None) -> None:
        self._answers = answers

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ResolvedQuestions:
        """Creates a new component (see parent class for full docstring)."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Decides on incoming messages that staff have decided on."""
        for message in messages:
            intent = None if _comes_first(message) else self._settled(message)
            if intent:
                readings: list[Reading] = message.get(READINGS) or []
                candidates = readings[0].topics[:3] if readings else ()
                write(message, Decision(intent, 1.0, candidates=candidates))
                message.set(RESOLVED, True, add_to_output=True)
        return messages

    def _settled(self, message: Message) -> str | None:
        text = message.get(TEXT) or ""
        if message.get(IN_CONTEXT) and leans_on_context(text):
            return None
        if self._answers is None:  # not before a message comes: training needs no database
            self._answers = shared_answers(load_settings())
        return self._answers.resolved(text)


def _comes_first(message: Message) -> bool:
    """Whether it is about a symptom or distress, or holds nothing that can be read."""
    decided = {(message.get(INTENT) or {}).get(INTENT_NAME_KEY)}
    decided |= {clause["intent"] for clause in message.get("clauses") or ()}
    return bool(message.get(RED_FLAG) or message.get(UNREADABLE) or decided & FIRST)
