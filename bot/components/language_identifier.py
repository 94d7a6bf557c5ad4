"""Notices messages that are not in English (bot/language)."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.language import identify

LANGUAGE = "language"  # message property: the code of the language, when it isn't English


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class LanguageIdentifier(GraphComponent):
    """Sets `language` on messages in another language; English ones have none."""

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
    ) -> LanguageIdentifier:
        """Creates a new component (see parent class for full docstring)."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Identifies the language of incoming messages."""
        for message in messages:
            language = identify(message.get(TEXT) or "")
            if language:
                message.set(LANGUAGE, language.code, add_to_output=True)
        return messages
