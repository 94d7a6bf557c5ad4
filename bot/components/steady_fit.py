"""Fitting that a few more examples hardly change.

A candidate with one new topic has to answer everything else as the live release does. Optimisers that shuffle
draw other orders as soon as there is one example more, and every question near a boundary may fall to another
side: 3 of 344 golden questions did. Here each example has its place by its own wording, and weights begin at
zero: none did, and probabilities moved by 0.0001 instead of 0.014 (decision 6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BATCH = 256
"""Examples of one step, about."""


def places_of(texts: Sequence[str], topics: Sequence[str]) -> NDArray[np.uint64]:
    """A number for each example that depends on nothing but itself; sorted by it, they are well mixed."""
    digests = (
        hashlib.sha256(f"{topic}\0{text}".encode("utf-8", "replace")).digest()
        for text, topic in zip(texts, topics, strict=True)
    )
    return np.array([int.from_bytes(digest[:8], "big") for digest in digests], np.uint64)


def softmax_regression(
    features: Floats,
    labels: NDArray[np.int64],
    classes: int,
    where: NDArray[np.uint64],
    *,
    epochs: int,
    steps: int,
    rate: float,
    penalty: float,
) -> tuple[Floats, Floats]:
    """Weights [classes, features] and bias [classes], fitted by Adam over the same batches each epoch.

    where: `places_of` the examples. epochs: passes over them, or as many as `steps` takes. penalty: as
    scikit-learn's `MLPClassifier.alpha`.
    """
    batches = _batches(where)
    weights = _Adam((features.shape[1], classes), rate)
    bias = _Adam((1, classes), rate)
    for _ in range(max(epochs, -(-steps // len(batches)))):
        for batch in batches:
            some = features[batch]
            slopes = some @ weights.values + bias.values
            slopes -= slopes.max(axis=1, keepdims=True)
            np.exp(slopes, out=slopes)
            slopes /= slopes.sum(axis=1, keepdims=True)
            slopes[np.arange(len(batch)), labels[batch]] -= 1
            slopes /= len(batch)
            weights.step(some.T @ slopes + np.float32(penalty / len(batch)) * weights.values)
            bias.step(slopes.sum(axis=0, keepdims=True))
    return np.ascontiguousarray(weights.values.T), bias.values[0]


def _batches(where: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """A power of two of them, so that examples stay in their batch while the data grows."""
    number = 2 ** max(0, round(float(np.log2(max(1, len(where)) / BATCH))))
    batch = (where % np.uint64(number)).astype(np.int64)
    return [found for one in range(number) if len(found := np.where(batch == one)[0])]


class _Adam:
    """An array of weights that takes steps down its slope."""

    def __init__(self, shape: tuple[int, int], rate: float) -> None:
        self.values = np.zeros(shape, np.float32)
        self._mean = np.zeros(shape, np.float32)
        self._spread = np.zeros(shape, np.float32)
        self._rate = rate
        self._steps = 0

    def step(self, slope: Floats) -> None:
        self._steps += 1
        self._mean += np.float32(0.1) * (slope - self._mean)
        self._spread += np.float32(0.001) * (slope * slope - self._spread)
        rate = self._rate * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        self.values -= np.float32(rate) * self._mean / (np.sqrt(self._spread) + np.float32(1e-8))
