"""Which topic a text is about: one linear classifier over every topic, retrieval intents with their sub-topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.sentence_encoder import READ_FEATURES, READ_TEXTS, SentenceEncoderFeaturizer, features_of
from bot.encoder import DIMENSIONS, FEATURES

READINGS = "readings"  # message property: what each way of reading it is about
MODEL_FILE = "topics.npz"
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """A text (a message, a part of it, or the message in its context) and what it is about.

    topics: every topic with its probability, likeliest first.
    nearness: mean cosine to the five nearest training examples of the likeliest topic.
    """

    text: str
    topics: tuple[tuple[str, float], ...]
    nearness: float

    @property
    def topic(self) -> str:
        return self.topics[0][0]

    @property
    def confidence(self) -> float:
        return self.topics[0][1]

    def probability(self, topic: str) -> float:
        return dict(self.topics).get(topic, 0.0)


@dataclass(frozen=True)
class TopicModel:
    """Multinomial logistic regression on the encoder's features, and the examples it was fitted on.

    weights: [topics, 1152]; bias: [topics]; examples: sentence vectors [n, 384]; labels: [n] indices of topics.
    """

    topics: tuple[str, ...]
    weights: Features
    bias: Features
    examples: Features
    labels: NDArray[np.int64]

    @classmethod
    def fit(cls, features: Features, topics: list[str], strength: float, iterations: int) -> TopicModel:
        """Fits the classifier. `strength`: scikit-learn's C on features of unit length."""
        from sklearn.linear_model import LogisticRegression

        scaled = features / np.sqrt(FEATURES / DIMENSIONS, dtype=np.float32)
        fitted = LogisticRegression(C=strength, max_iter=iterations, tol=1e-3).fit(scaled, topics)
        names = tuple(str(name) for name in fitted.classes_)
        place = {name: number for number, name in enumerate(names)}
        return cls(
            names,
            fitted.coef_.astype(np.float32),
            fitted.intercept_.astype(np.float32),
            np.ascontiguousarray(features[:, :DIMENSIONS]),
            np.array([place[topic] for topic in topics]),
        )

    def read(self, texts: list[str], features: Features) -> list[Reading]:
        """What each text is about."""
        scores = features / np.sqrt(FEATURES / DIMENSIONS, dtype=np.float32) @ self.weights.T + self.bias
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(axis=1, keepdims=True)
        readings = []
        for text, feature, chance in zip(texts, features, chances, strict=True):
            order = np.argsort(-chance)
            topics = tuple((self.topics[number], float(chance[number])) for number in order)
            readings.append(Reading(text, topics, self._nearness(feature, int(order[0]))))
        return readings

    def _nearness(self, feature: Features, topic: int) -> float:
        cosines = self.examples[self.labels == topic] @ feature[:DIMENSIONS]
        return float(np.sort(cosines)[-5:].mean())


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=True)
class TopicClassifier(GraphComponent):
    """Sets `readings`: the whole message first, then its parts, last the message in its context."""

    @classmethod
    def required_components(cls) -> list[type]:
        """The encoder's features are what it classifies."""
        return [SentenceEncoderFeaturizer]

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed for this component to be trained."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Intents that are found in other ways and have examples only to show what they are.
            "left_out": ["several_questions", "nlu_fallback", "other_language"],
            # scikit-learn's C. Raising it trusts single examples more and makes confidences sharper.
            "strength": 20.0,
            # Steps of the optimiser at most. Raising it makes training longer and confidences sharper.
            "iterations": 100,
        }

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: TopicModel | None = None
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicClassifier:
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
    ) -> TopicClassifier:
        """Loads a trained component (see parent class for full docstring)."""
        with model_storage.read_from(resource) as folder, np.load(folder / MODEL_FILE, allow_pickle=False) as saved:
            model = TopicModel(
                tuple(str(name) for name in saved["topics"]),
                saved["weights"],
                saved["bias"],
                saved["examples"].astype(np.float32),
                saved["labels"],
            )
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the classifier on the full names of the intents."""
        examples = [e for e in training_data.intent_examples if full_name(e) not in self._config["left_out"]]
        self._model = TopicModel.fit(
            np.stack([features_of(example) for example in examples]),
            [full_name(example) for example in examples],
            self._config["strength"],
            self._config["iterations"],
        )
        with self._storage.write_to(self._resource) as folder:
            np.savez(
                folder / MODEL_FILE,
                topics=np.array(self._model.topics),
                weights=self._model.weights,
                bias=self._model.bias,
                examples=self._model.examples.astype(np.float16),
                labels=self._model.labels,
            )
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Reads incoming messages."""
        for message in messages:
            texts = message.get(READ_TEXTS)
            if self._model is not None and texts:
                message.set(READINGS, self._model.read(texts, message.get(READ_FEATURES)))
        return messages


def full_name(example: Message) -> str:
    """An example's intent with its sub-topic, such as `faq/pain`."""
    return str(example.get(INTENT_RESPONSE_KEY) or example.get(INTENT))
