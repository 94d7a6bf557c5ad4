"""The classifier over full topics: trained, kept without pickles, loaded; probabilities that sum to one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.context_reader import IN_CONTEXT
from bot.components.sentence_encoder import READ_FEATURES, READ_TEXTS, SentenceEncoderFeaturizer
from bot.components.topic_classifier import READ_IN_CONTEXT, READINGS, Reading, TopicClassifier, full_name
from bot.encoder_build import build_encoder
from tests.components.conftest import Make, message

EXAMPLES = {
    "faq/pain": [
        "does it hurt",
        "is it painful",
        "will I feel pain",
        "does removal hurt a lot",
        "is it sore",
    ],
    "ask_price": ["how much is it", "what does it cost", "price please", "what do you charge", "cost of it"],
    "out_of_scope": ["fix my car", "who won the game", "bake a cake", "weather tomorrow", "walk the dog"],
    "greet": ["hello", "hi there", "good morning", "hey", "howdy"],
}


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    build_encoder()


def example(text: str, topic: str) -> Message:
    intent, _, key = topic.partition("/")
    return message(text, **{INTENT: intent, **({INTENT_RESPONSE_KEY: topic} if key else {})})


@pytest.fixture
def trained(make: Make, tmp_path: Path) -> TopicClassifier:
    data = TrainingData([example(text, topic) for topic, texts in EXAMPLES.items() for text in texts * 12])
    make(SentenceEncoderFeaturizer).process_training_data(data)
    make(TopicClassifier).train(data)
    loaded: TopicClassifier = make(TopicClassifier, loads=True)
    return loaded


def read(make: Make, classifier: TopicClassifier, text: str) -> Reading:
    (done,) = classifier.process(make(SentenceEncoderFeaturizer).process([message(text)]))
    reading: Reading = done.get(READINGS)[0]
    return reading


def test_several_messages_are_read_together_as_each_alone(make: Make, trained: TopicClassifier) -> None:
    texts = ["is it painful?", "how much does it cost", "hello!", "how much does it cost", "who won"]
    alone = [read(make, trained, text) for text in texts]
    trained._known.clear()
    messages = make(SentenceEncoderFeaturizer).process([message(text) for text in texts])
    trained.prepare([*messages, message("without features")])
    together = [readings[0] for readings in trained._known.values()]
    assert [reading.text for reading in together] == list(dict.fromkeys(texts))
    for one, same in zip(trained.process(messages), alone, strict=True):
        reading = one.get(READINGS)[0]
        assert any(reading is other for other in together)
        assert [topic for topic, _ in reading.topics] == [topic for topic, _ in same.topics]
        np.testing.assert_allclose(
            [chance for _, chance in reading.topics], [chance for _, chance in same.topics], atol=1e-5
        )
        assert np.isclose(reading.nearness, same.nearness, atol=1e-5)


def test_topics_are_told_apart(make: Make, trained: TopicClassifier) -> None:
    for text, topic in (
        ("is it painful?", "faq/pain"),
        ("how much does it cost", "ask_price"),
        ("hello!", "greet"),
    ):
        reading = read(make, trained, text)
        assert reading.topic == topic
        assert np.isclose(sum(chance for _, chance in reading.topics), 1, atol=1e-3)
        assert -1 <= reading.nearness <= 1.01
        assert reading.probability("no such topic") == 0


def test_what_is_remembered_was_read(make: Make, trained: TopicClassifier) -> None:
    assert trained._model is not None
    for _ in range(2):
        for text in ("does it hurt", "how much is it", "hello", "does it hurt"):
            found = message(text)
            make(SentenceEncoderFeaturizer).process([found])
            expected = trained._model.read(found.get(READ_TEXTS), found.get(READ_FEATURES))
            assert trained.process([found])[0].get(READINGS) == expected
    assert len(trained._known) == 3


def test_the_model_holds_no_pickle(trained: TopicClassifier, tmp_path: Path) -> None:
    (file,) = tmp_path.rglob("*.npz")
    with np.load(file, allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays.files} <= {"f", "i", "u", "U"}


def test_an_example_s_full_name() -> None:
    assert full_name(example("x", "faq/pain")) == "faq/pain"
    assert full_name(example("x", "greet")) == "greet"


def test_a_part_is_read_in_the_light_of_the_whole() -> None:
    part = Reading("does it run out", (("faq/go_away", 0.5), ("ask_policy", 0.4), ("greet", 0.1)), 0.8)
    whole = Reading("what's the code, and does it run out", (("ask_policy", 0.9), ("greet", 0.1)), 0.8)
    together = part.in_light_of(whole)
    assert together.topic == "ask_policy"
    assert sum(chance for _, chance in together.topics) == pytest.approx(1)


def test_a_message_in_context_is_read_when_it_is_asked_for(make: Make, trained: TopicClassifier) -> None:
    followed = message("how much", **{IN_CONTEXT: "does removal hurt a lot"})
    trained.process(make(SentenceEncoderFeaturizer).process([followed]))
    assert [reading.text for reading in followed.get(READINGS)] == ["how much"]
    assert len(trained._known) == 1
    assert followed.get(READ_IN_CONTEXT).reading.topic == "faq/pain"


def test_no_topic_is_likelier_than_the_wording_allows(make: Make, trained: TopicClassifier) -> None:
    assert trained._model is not None
    for text in ("does it hurt", "how much is it", "hello", "my cat"):
        for topic, chance in read(make, trained, text).topics:
            assert chance <= trained._model.most(text, topic) + 1e-6
