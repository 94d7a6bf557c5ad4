"""Gives every message the sentence encoder's vector, for the classifier to work on."""

from __future__ import annotations

import os
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.clause_splitter import CLAUSE_SPANS
from bot.components.spelling_corrector import CORRECTED
from bot.encoder import CACHE_SIZE, ORIGIN, Vectors, encoder_path, shared
from bot.encoder_cache import encoded

READ_TEXTS = "read_texts"  # message property: the message, then its parts
READ_FEATURES = "read_features"  # message property: their features, shape [n, 1152]


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER], is_trainable=False)
class SentenceEncoderFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds one dense sentence feature of shape [1, 1152] to the text of each message: three unit vectors, of
    which the first is the sentence's (see `SentenceEncoder.features`). Parts get theirs in
    `read_features`."""

    @classmethod
    def required_components(cls) -> list[type]:
        """None: the encoder splits the text itself."""
        return []

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed for this component to run."""
        return ["onnxruntime", "tokenizers"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            **DenseFeaturizer.get_default_config(),
            # Texts whose vectors are remembered. Raising it saves the 2 ms of encoding for more texts that
            # come back, at 4.6 kB of memory each. The first component that a process makes decides.
            "cache_size": CACHE_SIZE,
            # Texts encoded at a time in training. Raising it up to the number of cores shortens training;
            # 0 takes all of them. A visitor's message is always encoded on one.
            "training_threads": 0,
        }

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)
        self._encoder = shared(cache_size=config["cache_size"])
        self._training_threads: int = config["training_threads"] or os.cpu_count() or 1

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoderFeaturizer:
        """Creates a new component (see parent class for full docstring)."""
        return cls(config, execution_context.node_name)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """What the encoder is built from: vectors of another build must not be taken from Rasa's cache."""
        return str(ORIGIN)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing to check beyond what the encoder checks itself."""

    def prepare(self, messages: list[Message]) -> None:
        """Has the encoder remember the features of several messages, computed together."""
        self._encoder.features([text for message in messages for text in _texts(message)])

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the features to incoming messages, in one call of the encoder for each."""
        for message in messages:
            texts = _texts(message)
            if not texts:
                continue
            features = self._encoder.features(texts)
            message.set(READ_TEXTS, texts)
            message.set(READ_FEATURES, features)
            self._add(message, features[0])
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the feature to all training examples, in one call of the encoder."""
        examples = [example for example in training_data.training_examples if wording(example)]
        texts = [wording(example) for example in examples]
        vectors = encoded(texts, encoder_path(), self._training_threads)
        for example, vector in zip(examples, vectors, strict=True):
            self._add(example, vector)
        return training_data

    def _add(self, message: Message, vector: Vectors) -> None:
        message.add_features(Features(vector[None], FEATURE_TYPE_SENTENCE, TEXT, self._identifier))


def _texts(message: Message) -> list[str]:
    """A message's wording and its parts; nothing where nothing is said."""
    text = wording(message)
    return [text, *(part.text for part in message.get(CLAUSE_SPANS) or ())] if text else []


def wording(message: Message) -> str:
    """The text of a message as it is understood: with its spelling mended."""
    return str(message.get(CORRECTED) or message.get(TEXT) or "")


def features_of(example: Message) -> Vectors:
    """The features that the encoder gave to a training example, shape [1152]."""
    _, sentence = example.get_dense_features(TEXT)
    vector: Vectors = sentence.features[0]
    return vector
