"""Which topic a text is about: one light classifier over every topic, sub-topics of `faq` included."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from operator import itemgetter
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

from bot.components.context_reader import IN_CONTEXT
from bot.components.later_reading import LaterReading
from bot.components.nearest_examples import NearestExamples, Neighbours
from bot.components.sentence_encoder import (
    READ_FEATURES,
    READ_TEXTS,
    SentenceEncoderFeaturizer,
    features_of,
    wording,
)
from bot.components.steady_fit import places_of, softmax_regression
from bot.encoder import DIMENSIONS, shared
from bot.grams import counts, inverse_frequency, vector

READINGS = "readings"  # message property: what the message is about, then what each of its parts is
READ_IN_CONTEXT = "read_in_context"  # message property: the `LaterReading` of the message in its context
MODEL_FILE = "topics.npz"
Floats = NDArray[np.float32]

_SCALE = np.float32(3)  # unit vectors are too short for Adam's steps
_NEIGHBOURS = 15  # that vote
_OF_TOPIC = 5  # whose mean cosine is the nearness of a topic
_WHOLE = 0.3  # what a message counts for in reading a part of it; raising it finds fewer further questions
_UNSAID = 0.02  # added to what the message makes of a topic, so that a part may say something new
_FALL_OFF = 0.05  # cosine by which an example's vote falls to a third


@dataclass(frozen=True)
class Reading:
    """A text (a message, a part of it, or the message in its context) and what it is about.

    topics: every topic with its probability, likeliest first.
    nearness: mean cosine to the five nearest training examples of the likeliest topic.
    evidence: how much of it speaks for any topic at all, in nats; probabilities only compare the topics.
    """

    text: str
    topics: tuple[tuple[str, float], ...]
    nearness: float
    evidence: float = 0.0

    @property
    def topic(self) -> str:
        return self.topics[0][0]

    @property
    def confidence(self) -> float:
        return self.topics[0][1]

    @cached_property
    def _chances(self) -> dict[str, float]:
        return dict(self.topics)

    def probability(self, topic: str) -> float:
        return self._chances.get(topic, 0.0)

    def total(self, topics: tuple[str, ...]) -> float:
        """The probability of all of some topics."""
        chances = self._chances
        return sum([chances.get(topic, 0.0) for topic in topics])

    def in_light_of(self, whole: Reading) -> Reading:
        """What a part of a message is about, given what the whole is about: "does it run out" after "what's
        the code" is about the code."""
        around = whole._chances
        weights = {
            topic: chance * (around.get(topic, 0.0) + _UNSAID) ** _WHOLE for topic, chance in self.topics
        }
        total = sum(weights.values())
        shares = [(topic, weight / total) for topic, weight in weights.items()]
        return replace(self, topics=tuple(sorted(shares, key=itemgetter(1), reverse=True)))


@dataclass(frozen=True)
class TopicModel:
    """Three views of a text, averaged, because they fail on different messages (decision 4): logistic
    regression on the encoder's features, the nearest examples, and a linear model on the exact wording.

    weights: [topics, 1152]; bias: [topics]; examples: sentence vectors [n, 384], topic by topic;
    labels: [n] of topics; search: bytes of the graph that finds the nearest of them; idf: [buckets];
    gram_weights: [buckets, topics]; gram_bias: [topics].
    """

    topics: tuple[str, ...]
    weights: Floats
    bias: Floats
    examples: Floats
    labels: NDArray[np.int64]
    search: NDArray[np.uint8]
    idf: Floats
    gram_weights: Floats
    gram_bias: Floats
    shares: tuple[float, float, float]

    @classmethod
    def fit(cls, texts: list[str], features: Floats, topics: list[str], config: dict[str, Any]) -> TopicModel:
        """Fits the three views on the same examples; see `TopicClassifier.get_default_config`."""
        where = places_of(texts, topics)
        order = np.argsort(where, kind="stable")
        where, features = where[order], features[order]
        texts, topics = [texts[place] for place in order], [topics[place] for place in order]
        names = sorted(set(topics))
        number = {name: place for place, name in enumerate(names)}
        labels = np.array([number[topic] for topic in topics])
        with ThreadPoolExecutor(1) as beside:  # each view keeps about one core busy
            wording_view = beside.submit(_fit_wording, texts, topics, config)
            weights, bias = softmax_regression(
                features * _SCALE, labels, len(names), where,
                epochs=config["epochs"], steps=config["steps"],
                rate=config["learning_rate"], penalty=config["penalty"],
            )  # fmt: skip
        idf, gram_weights, gram_bias = wording_view.result()
        by_topic = np.argsort(labels, kind="stable")
        examples = features[by_topic, :DIMENSIONS]
        return cls(
            tuple(names),
            weights,
            bias,
            examples,
            labels[by_topic],
            np.frombuffer(NearestExamples.graph_for(examples), np.uint8),
            idf,
            gram_weights,
            gram_bias,
            tuple(config["shares"]),
        )

    def read(self, texts: list[str], features: Floats) -> list[Reading]:
        """What each text is about."""
        vectors = features[:, :DIMENSIONS]
        near = self._nearest.near(vectors)
        by_meaning, evidence = self._by_meaning(features)
        views = (by_meaning, self._by_examples(near), self._by_wording(texts))
        chances = np.sum([share * view for share, view in zip(self.shares, views, strict=True)], axis=0)
        orders = np.argsort(-chances, axis=1)
        return [
            Reading(
                text,
                tuple(zip([self.topics[number] for number in order], chance[order].tolist(), strict=True)),
                self._nearest.nearness(vector, neighbours, int(order[0]), _OF_TOPIC),
                float(some),
            )
            for text, chance, order, vector, neighbours, some in zip(
                texts, chances, orders, vectors, near, evidence, strict=True
            )
        ]

    def most(self, text: str, topic: str) -> float:
        """The most that a topic's probability can be in a text, from its wording alone."""
        *others, wording = self.shares
        return sum(others) + wording * float(self._by_wording([text])[0, self.topics.index(topic)])

    def _by_meaning(self, features: Floats) -> tuple[Floats, Floats]:
        """The probabilities, and what they are shares of, as a logarithm (the energy of Liu et al. 2020)."""
        scores = features * _SCALE @ self.weights.T + self.bias
        highest = scores.max(axis=1, keepdims=True)
        weights = np.exp(scores - highest)
        return _shares(weights), np.log(weights.sum(axis=1)) + highest[:, 0]

    def _by_examples(self, near: list[Neighbours]) -> Floats:
        """Votes of the nearest examples, each with a weight that falls off quickly with its distance."""
        chances = np.empty((len(near), len(self.topics)), np.float32)
        for row, neighbours in zip(chances, near, strict=True):
            votes = np.exp((neighbours.cosines[:_NEIGHBOURS] - 1) / _FALL_OFF)
            row[:] = np.bincount(neighbours.topics[:_NEIGHBOURS], votes, len(self.topics))
        return _shares(chances)

    @cached_property
    def _nearest(self) -> NearestExamples:
        return NearestExamples(self.examples, self.labels, len(self.topics), self.search.tobytes())

    def _by_wording(self, texts: list[str]) -> Floats:
        chances = np.empty((len(texts), len(self.topics)), np.float32)
        for row, text in enumerate(texts):
            places, values = vector(counts(text, len(self.idf)), self.idf)
            chances[row] = 1 / (1 + np.exp(-(values @ self.gram_weights[places] + self.gram_bias)))
        return _shares(chances)


def _shares(weights: Floats) -> Floats:
    """Rows scaled to sum to one."""
    scaled: Floats = weights / (weights.sum(axis=1, keepdims=True) + 1e-12)
    return scaled


def _fit_wording(
    texts: list[str], topics: list[str], config: dict[str, Any]
) -> tuple[Floats, Floats, Floats]:
    """The linear model on exact wording: idf [buckets], weights [buckets, topics], bias [topics]."""
    from sklearn.linear_model import SGDClassifier

    documents = [counts(text, config["buckets"]) for text in texts]
    idf = inverse_frequency(documents, config["buckets"])
    model = SGDClassifier(
        loss="log_loss", alpha=config["gram_penalty"], max_iter=20, shuffle=False, n_jobs=-1
    )
    model.fit(_matrix(documents, idf), topics)
    weights = np.ascontiguousarray(model.coef_.T.astype(np.float32))
    return idf, weights, model.intercept_.astype(np.float32)


def _matrix(documents: list[dict[int, float]], idf: Floats) -> Any:
    from scipy.sparse import csr_matrix

    rows = [vector(document, idf) for document in documents]
    starts = np.concatenate([[0], np.cumsum([len(places) for places, _ in rows])])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, places, starts), shape=(len(rows), len(idf)))


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=True)
class TopicClassifier(GraphComponent):
    """Sets `readings`, and `read_in_context` for the decider to read if it depends on it."""

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
            # Passes over the examples. Raising it trusts single examples more, makes probabilities sharper
            # and training longer; of 8, 10 and 15 passes, 8 answered most of tests/data/validation rightly.
            "epochs": 8,
            # Fewest steps of those passes. Raising it passes more often over few examples.
            "steps": 500,
            # Size of Adam's steps. Raising it needs fewer passes, until they overshoot.
            "learning_rate": 0.01,
            # Pull of the weights towards zero. Raising it trusts single examples less.
            "penalty": 1.0e-4,
            # Messages whose readings are remembered. Raising it saves the 1 ms of reading for more messages
            # that come back, at 10 kB of memory each.
            "cache_size": 1000,
            # Features of the exact wording. Raising it mixes fewer words up, and makes the model larger.
            "buckets": 32_768,
            # How little a single word may weigh. Raising it trusts rare words less.
            "gram_penalty": 3.0e-6,
            # What meaning, nearest examples and wording count for. Raising one trusts that view more.
            "shares": [0.4, 0.3, 0.3],
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: TopicModel | None = None,
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model
        self._known: OrderedDict[tuple[str, ...], list[Reading]] = OrderedDict()

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
        with (
            model_storage.read_from(resource) as folder,
            np.load(folder / MODEL_FILE, allow_pickle=False) as saved,
        ):
            arrays = {name: saved[name] for name in saved.files}
        model = TopicModel(
            **{
                name: array.astype(np.float32) if array.dtype == np.float16 else array
                for name, array in arrays.items()
                if name != "topics"
            },
            topics=tuple(str(name) for name in arrays["topics"]),
            shares=tuple(config["shares"]),
        )
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the classifier on the full names of the intents."""
        examples = [e for e in training_data.intent_examples if full_name(e) not in self._config["left_out"]]
        self._model = model = TopicModel.fit(
            [wording(example) for example in examples],
            np.stack([features_of(example) for example in examples]),
            [full_name(example) for example in examples],
            self._config,
        )
        arrays = {name: value for name, value in vars(model).items() if isinstance(value, np.ndarray)}
        for name in ("examples", "gram_weights"):  # the largest; half precision changes no decision
            arrays[name] = arrays[name].astype(np.float16)
        with self._storage.write_to(self._resource) as folder:
            np.savez(folder / MODEL_FILE, topics=np.array(model.topics), **arrays)
        return self._resource

    def prepare(self, messages: list[Message]) -> None:
        """Reads several messages at once, so that the examples are fetched once for all."""
        new = {
            tuple(texts): message.get(READ_FEATURES)
            for message in messages
            if (texts := message.get(READ_TEXTS)) and tuple(texts) not in self._known
        }
        if self._model is None or len(new) < 2:
            return
        every = self._model.read([text for texts in new for text in texts], np.concatenate([*new.values()]))
        readings = iter(every)
        for texts in new:
            self._known[texts] = list(islice(readings, len(texts)))

    def process(self, messages: list[Message]) -> list[Message]:
        """Reads incoming messages."""
        for message in messages:
            texts, in_context = message.get(READ_TEXTS), message.get(IN_CONTEXT)
            if self._model is None or not texts:
                continue
            message.set(READINGS, self._read(texts, message.get(READ_FEATURES)))
            if in_context:
                message.set(READ_IN_CONTEXT, LaterReading(in_context, self._read_alone, self._model.most))
        return messages

    def _read_alone(self, text: str) -> Reading:
        return self._read([text], shared().features([text]))[0]

    def _read(self, texts: list[str], features: Floats) -> list[Reading]:
        key = tuple(texts)
        readings = self._known.pop(key, None)
        if readings is None:
            assert self._model is not None  # noqa: S101 -- the caller has asked
            readings = self._model.read(texts, features)
        self._known[key] = readings
        while len(self._known) > self._config["cache_size"]:
            self._known.popitem(last=False)
        return readings


def full_name(example: Message) -> str:
    """An example's intent with its sub-topic, such as `faq/pain`."""
    return str(example.get(INTENT_RESPONSE_KEY) or example.get(INTENT))
