"""Components alone, as Rasa makes them, and messages for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.serving import standin

standin.install()

from rasa.engine.graph import ExecutionContext, GraphSchema  # noqa: E402
from rasa.engine.storage.local_model_storage import LocalModelStorage  # noqa: E402
from rasa.engine.storage.resource import Resource  # noqa: E402
from rasa.shared.nlu.constants import TEXT  # noqa: E402
from rasa.shared.nlu.training_data.message import Message  # noqa: E402

Make = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a component with its defaults, or loads a trained one with `loads=True`."""

    def component(kind: Any, loads: bool = False, **config: Any) -> Any:
        build = kind.load if loads else kind.create
        return build(
            {**kind.get_default_config(), **config},
            LocalModelStorage(tmp_path),
            Resource("component"),
            ExecutionContext(GraphSchema({}), node_name="component"),
        )

    return component


def message(text: str | None = None, **properties: Any) -> Message:
    """A message as it comes from a channel, with what earlier components found."""
    return Message({**({} if text is None else {TEXT: text}), **properties})


def unit_vectors(number: int, seed: int) -> np.ndarray:
    """Vectors [number, 384] that differ in few directions, as sentences on one subject do."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(60, 384))
    vectors = rng.normal(size=(number, 60)) @ directions + rng.normal(size=(number, 384))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
