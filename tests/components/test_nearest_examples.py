"""Nearest examples: the same whether few or many, as comparing all in full finds them."""

import numpy as np
import pytest

from bot.components.nearest_examples import FEW, NearestExamples
from tests.components.conftest import unit_vectors


def nearest_examples(vectors: np.ndarray, labels: np.ndarray) -> NearestExamples:
    return NearestExamples(vectors, labels, 3, NearestExamples.graph_for(vectors))


@pytest.mark.parametrize("number", [3, FEW, FEW + 500])
def test_nearest_are_those_of_a_full_comparison(number: int) -> None:
    vectors = unit_vectors(number, 1)
    labels = np.sort(np.arange(number) % 3)
    several = unit_vectors(20, 2)
    for asked, near in zip(several, nearest_examples(vectors, labels).near(several), strict=True):
        full = vectors @ asked
        best = np.argsort(-full)[:15]
        assert near.cosines[:15] == pytest.approx(full[best], abs=1e-5)
        assert list(near.topics[:15]) == list(labels[best])


@pytest.mark.parametrize("number", [9, FEW + 500])
def test_nearness_of_a_topic_near_or_far(number: int) -> None:
    vectors = unit_vectors(number, 3)
    labels = np.sort(np.arange(number) % 3)
    examples = nearest_examples(vectors, labels)
    (near,) = examples.near(vectors[:1])
    for topic in range(3):
        nearest = np.sort(vectors[labels == topic] @ vectors[0])[-5:]
        assert examples.nearness(vectors[0], near, topic, 5) == pytest.approx(nearest.mean(), abs=1e-5)
