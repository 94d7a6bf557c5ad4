"""Nearest examples: the same whether few or many, as comparing all in full finds them."""

import numpy as np
import pytest

from bot.components.nearest_examples import FEW, NearestExamples


def unit_vectors(number: int, seed: int) -> np.ndarray:
    """Vectors that differ in few directions, as sentences on one subject do."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(60, 384))
    vectors = rng.normal(size=(number, 60)) @ directions + rng.normal(size=(number, 384))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("number", [3, FEW, FEW + 500])
def test_nearest_are_those_of_a_full_comparison(number: int) -> None:
    vectors = unit_vectors(number, 1)
    labels = np.sort(np.arange(number) % 3)
    examples = NearestExamples(vectors, labels, 3)
    several = unit_vectors(20, 2)
    for asked, (found, cosines) in zip(several, examples.nearest(several, 15), strict=True):
        full = vectors @ asked
        best = np.argsort(-full)[: len(found)]
        assert len(found) == min(15, number)
        assert sorted(cosines) == pytest.approx(sorted(full[best]), abs=1e-5)
        assert sorted(found) == sorted(labels[best])


def test_cosines_of_one_topic() -> None:
    vectors = unit_vectors(30, 3)
    examples = NearestExamples(vectors, np.arange(30) // 15, 2)
    assert examples.of_topic(vectors[4], 1) == pytest.approx(vectors[15:] @ vectors[4], abs=1e-5)
