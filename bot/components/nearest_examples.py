"""The training examples nearest to a text, without comparing it with each of them in full length."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DIRECTIONS = 96
"""Directions, of 384, in which all examples are compared first: those in which they differ most."""

CANDIDATES = 400
"""How many are then compared in full. Of the fifteen nearest of 18,000 examples, 99% are among them, in an
eighth of the time of comparing all in full. Raising either finds more and takes longer."""

FEW = 1000
"""Up to so many examples all are compared in full."""


class NearestExamples:
    """Finds the nearest of so many topics' examples.

    vectors: unit vectors [n, 384], topic by topic, so that those of one needn't be gathered for each message.
    labels: [n], the number of each one's topic, ascending.
    """

    def __init__(self, vectors: Floats, labels: NDArray[np.int64], topics: int) -> None:
        self._vectors = vectors
        self._labels = labels
        ends = np.searchsorted(labels, np.arange(topics + 1))
        self._of_topic = [slice(begin, end) for begin, end in pairwise(ends)]
        self._rotation = self._short = np.empty((0, 0), np.float32)
        if len(vectors) > FEW:
            _, directions = np.linalg.eigh(vectors.T @ vectors)
            self._rotation = np.ascontiguousarray(directions[:, : -DIRECTIONS - 1 : -1].T)
            self._short = np.ascontiguousarray(vectors @ self._rotation.T)

    def nearest(self, vectors: Floats, most: int) -> list[tuple[NDArray[np.int64], Floats]]:
        """For each vector the topics of the nearest examples, and their cosines."""
        if len(self._vectors) <= FEW:
            return [self._best(np.arange(len(self._vectors)), vector, most) for vector in vectors]
        # In one product for all, because reading the examples is what takes time.
        roughly = (vectors @ self._rotation.T) @ self._short.T
        return [
            self._best(_largest(row, CANDIDATES), vector, most)
            for row, vector in zip(roughly, vectors, strict=True)
        ]

    def _best(self, places: NDArray[np.int64], vector: Floats, most: int) -> tuple[NDArray[np.int64], Floats]:
        cosines = self._vectors[places] @ vector
        best = _largest(cosines, most)
        return self._labels[places[best]], cosines[best]

    def of_topic(self, vector: Floats, topic: int) -> Floats:
        """The cosines of all examples of a topic."""
        cosines: Floats = self._vectors[self._of_topic[topic]] @ vector
        return cosines


def _largest(values: Floats, most: int) -> NDArray[np.int64]:
    """Where the largest values are, in any order."""
    if len(values) <= most:
        return np.arange(len(values))
    return np.argpartition(values, -most)[-most:]
