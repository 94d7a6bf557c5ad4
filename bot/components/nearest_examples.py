"""The training examples nearest to a text, without comparing it with each of them in full."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.components.nearest_graph import Floats, open_search, search_graph

FEW = 1000
"""Up to so many examples all are compared in full."""


@dataclass(frozen=True)
class Neighbours:
    """Examples that are near to a text, the nearest first.

    topics: [m], the number of each one's topic; cosines: [m].
    """

    topics: NDArray[np.int64]
    cosines: Floats


class NearestExamples:
    """Finds the nearest of so many topics' examples.

    vectors: unit vectors [n, 384], topic by topic, so that those of one needn't be gathered for each message.
    labels: [n], the number of each one's topic, ascending.
    graph: what `graph_for` made for these vectors.
    """

    def __init__(self, vectors: Floats, labels: NDArray[np.int64], topics: int, graph: bytes) -> None:
        self._vectors = vectors
        self._labels = labels
        ends = np.searchsorted(labels, np.arange(topics + 1))
        self._of_topic = [slice(begin, end) for begin, end in pairwise(ends)]
        self._search = open_search(graph) if graph else None

    @staticmethod
    def graph_for(vectors: Floats) -> bytes:
        """What is worked out once, in training: the graph of `bot.components.nearest_graph`; nothing when the
        examples are few."""
        return search_graph(vectors) if len(vectors) > FEW else b""

    def near(self, vectors: Floats) -> list[Neighbours]:
        """For each vector [m, 384] its nearest examples, a hundred of them; all when they are few."""
        # All of a message are asked for at once, because reading the examples is what takes time.
        places = self._search(vectors) if self._search else [np.arange(len(self._vectors))] * len(vectors)
        return [self._in_order(some, vector) for some, vector in zip(places, vectors, strict=True)]

    def _in_order(self, places: NDArray[np.int64], vector: Floats) -> Neighbours:
        cosines = self._vectors[places] @ vector
        order = np.argsort(-cosines)
        return Neighbours(self._labels[places[order]], cosines[order])

    def nearness(self, vector: Floats, near: Neighbours, topic: int, most: int) -> float:
        """The mean cosine of a vector to the nearest examples of a topic, `near` being its neighbours."""
        cosines = near.cosines[near.topics == topic][:most]
        if len(cosines) < most:  # the topic lies farther off
            cosines = np.sort(self._vectors[self._of_topic[topic]] @ vector)[-most:]
        return float(cosines.mean())
