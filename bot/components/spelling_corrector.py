"""Mends the spelling of messages by the words of the training examples and of general English."""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.spelling import SpellingCorrector as Corrector

CORRECTED = "corrected"  # message property: the text with its words mended
VOCABULARY_FILE = "vocabulary.json"


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER], is_trainable=True)
class SpellingCorrector(GraphComponent):
    """Sets `corrected`, which is what the encoder reads; the text itself stays as typed."""

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed for this component to run."""
        return ["rapidfuzz", "wordfreq"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Commonest words of general English that are known. Raising it leaves more rare words alone (and
            # more typos that happen to be words), and costs 100 bytes of memory a word.
            "known_words": 120_000,
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        corrector: Corrector | None = None,
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._corrector = corrector

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SpellingCorrector:
        """Creates a new component (see parent class for full docstring)."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SpellingCorrector:
        """Loads a trained component (see parent class for full docstring)."""
        with model_storage.read_from(resource) as folder:
            likelihoods = json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))
        return cls(config, model_storage, resource, Corrector(likelihoods))

    def train(self, training_data: TrainingData) -> Resource:
        """Learns which words these messages are made of."""
        texts = [example.get(TEXT) for example in training_data.intent_examples if example.get(TEXT)]
        self._corrector = Corrector.learn(texts, self._config["known_words"])
        with self._storage.write_to(self._resource) as folder:
            (folder / VOCABULARY_FILE).write_text(json.dumps(self._corrector.likelihoods), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Corrects every example as a message is."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Corrects incoming messages."""
        for message in messages:
            if self._corrector and message.get(TEXT):
                message.set(CORRECTED, self._corrector.correct(message.get(TEXT)))
        return messages
