"""The featurizer as Rasa uses it: made from config.yml, given messages and training data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.serving import standin

standin.install()

from rasa.engine.graph import ExecutionContext, GraphSchema  # noqa: E402
from rasa.engine.recipes.default_recipe import DefaultV1Recipe  # noqa: E402
from rasa.engine.storage.local_model_storage import LocalModelStorage  # noqa: E402
from rasa.engine.storage.resource import Resource  # noqa: E402
from rasa.shared.nlu.constants import ACTION_NAME, INTENT, TEXT  # noqa: E402
from rasa.shared.nlu.training_data.message import Message  # noqa: E402
from rasa.shared.nlu.training_data.training_data import TrainingData  # noqa: E402

from bot.components.sentence_encoder import SentenceEncoderFeaturizer  # noqa: E402
from bot.encoder import FEATURES, shared  # noqa: E402
from bot.encoder_build import build_encoder  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    build_encoder()


@pytest.fixture
def make(tmp_path: Path) -> Any:
    def component(**config: Any) -> SentenceEncoderFeaturizer:
        return SentenceEncoderFeaturizer.create(
            {**SentenceEncoderFeaturizer.get_default_config(), **config},
            LocalModelStorage.create(tmp_path),
            Resource("encoder"),
            ExecutionContext(GraphSchema({}), node_name="the_node"),
        )

    return component


def test_a_message_gets_one_sentence_feature(make: Any) -> None:
    message = Message({TEXT: "does it hurt?"})
    assert make().process([message]) == [message]
    sequence, sentence = message.get_dense_features(TEXT, [])
    assert sequence is None
    assert sentence.features.shape == (1, FEATURES)
    assert [feature.origin for feature in message.features] == ["the_node"]
    np.testing.assert_array_equal(sentence.features, shared().features(["does it hurt?"]))


def test_the_alias_names_the_feature(make: Any) -> None:
    message = Message({TEXT: "hello"})
    make(alias="meaning").process([message])
    assert message.get_dense_features(TEXT, ["meaning"])[1] is not None
    assert message.get_dense_features(TEXT, ["another"])[1] is None


def test_what_is_prepared_for_several_messages_is_not_computed_again(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = make()
    messages = [Message({TEXT: f"is {price} too much"}) for price in ("ninety", "eighty")]
    component.prepare([*messages, Message({TEXT: ""})])
    monkeypatch.setattr(shared(), "_run", None)  # so that computing anything would be an error
    component.process(messages)
    for one in messages:
        assert one.get_dense_features(TEXT, [])[1].features.shape == (1, FEATURES)


def test_training_examples_get_what_messages_get(make: Any) -> None:
    examples = [Message({TEXT: text, INTENT: "faq"}) for text in ("how much is it", "does it hurt?")]
    without_text = Message({ACTION_NAME: "action_listen"})
    training_data = TrainingData([*examples, without_text])
    assert make().process_training_data(training_data) is training_data
    for example in examples:
        message = Message({TEXT: example.get(TEXT)})
        make().process([message])
        # Training keeps its vectors in half precision.
        np.testing.assert_allclose(example.features[0].features, message.features[0].features, atol=1e-3)
    assert not without_text.features


def test_empty_messages_get_no_feature(make: Any) -> None:
    message = Message({TEXT: ""})
    make().process([message])
    assert not message.features


def test_components_of_a_process_share_the_encoder(make: Any) -> None:
    assert make()._encoder is make()._encoder


def test_config_files_can_name_it() -> None:
    registered = DefaultV1Recipe._from_registry("SentenceEncoderFeaturizer")
    assert registered.clazz is SentenceEncoderFeaturizer
    assert not registered.is_trainable
    assert SentenceEncoderFeaturizer.fingerprint_addon({})
