"""Groups questions that mean the same, by the similarity of their sentence vectors.

A question joins the group whose mean vector is nearest, if it is near enough; else it begins a group. Nothing
that stands in a group is ever moved by this, so groups stay as staff know them. A group that was merged into
another goes on drawing questions, for the one that it was merged into.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.encoder import DIMENSIONS
from bot.review_model import Anchor

NEAR = 0.56
"""Cosine from which two texts mean the same. Where it is wrong, staff merge and split by hand. Of 20 pairs of
paraphrases it joins 15; of 17 pairs that share words but not the question, 3 (tests/test_grouping.py)."""

RELATED = 0.4
"""Cosine from which a group is offered for merging."""

# Nearly every question holds it, so that it says nothing about which question it is.
_COMMON_WORD = re.compile(r"\bmil+i(?:a|as|um|ums)\b|\bmilk spots?\b", re.IGNORECASE)

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """`bot.encoder.SentenceEncoder`, or whatever stands in for it."""

    def encode(self, texts: Sequence[str]) -> Vectors: ...


def vectors_of(texts: Sequence[str], encoder: Encoder) -> list[bytes]:
    """What is stored of each text's meaning: a unit vector, float16."""
    plain = [_COMMON_WORD.sub("it", text) for text in texts]
    return [vector.astype(np.float16).tobytes() for vector in encoder.encode(plain)]


class Anchors:
    """All groups' mean vectors in memory; finds the one that is nearest. For one thread at a time."""

    def __init__(self, near: float = NEAR) -> None:
        self._near = near
        self._place: dict[str, int] = {}
        self._ids: list[str] = []
        self._roots: dict[str, str] = {}
        self._totals: Vectors = np.zeros((1024, DIMENSIONS), np.float32)
        self._means: Vectors = np.zeros((1024, DIMENSIONS), np.float32)
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ids)

    def learn(self, anchors: Sequence[Anchor]) -> None:
        """Takes in groups that are new or have changed."""
        for anchor in anchors:
            total = (
                np.frombuffer(anchor.total, np.float32) if anchor.total else np.zeros(DIMENSIONS, np.float32)
            )
            self._set(anchor.id, total)
            self._roots[anchor.id] = anchor.root

    def find(self, vector: bytes) -> str | None:
        """The anchor that draws this vector; None when none is near enough."""
        if not self._ids:
            return None
        nearness = self._nearness(vector)
        best = int(nearness.argmax())
        return self._ids[best] if nearness[best] >= self._near else None

    def related(self, group_id: str, most: int = 5) -> list[str]:
        """Groups that are near this one without being it, the nearest first."""
        place = self._place.get(group_id)
        if place is None:
            return []
        nearness = self._means[: len(self._ids)] @ self._means[place]
        found: dict[str, None] = {}
        for index in np.argsort(-nearness)[: most * 4]:
            root = self.root(self._ids[index])
            if nearness[index] >= RELATED and root != group_id:
                found[root] = None
        return list(found)[:most]

    def add(self, anchor_id: str, vector: bytes) -> bytes:
        """Adds a vector to an anchor, a new one if need be; its new total."""
        place = self._place.get(anchor_id)
        total = _read(vector) if place is None else self._totals[place] + _read(vector)
        self._set(anchor_id, total)
        self._roots.setdefault(anchor_id, anchor_id)
        return total.tobytes()

    def root(self, anchor_id: str) -> str:
        """The group that shows what this anchor draws."""
        return self._roots.get(anchor_id, anchor_id)

    def _nearness(self, vector: bytes) -> Vectors:
        nearness: Vectors = self._means[: len(self._ids)] @ _read(vector)
        return nearness

    def _set(self, anchor_id: str, total: Vectors) -> None:
        place = self._place.get(anchor_id)
        if place is None:
            place = self._place[anchor_id] = len(self._ids)
            self._ids.append(anchor_id)
            if place == len(self._means):
                self._totals = np.concatenate([self._totals, np.zeros_like(self._totals)])
                self._means = np.concatenate([self._means, np.zeros_like(self._means)])
        length = float(np.linalg.norm(total))
        self._totals[place] = total
        self._means[place] = total / length if length else 0.0


def total_of(vectors: Sequence[bytes]) -> bytes:
    """The sum of stored vectors, as a group keeps it; nothing for none."""
    if not vectors:
        return b""
    total: Vectors = np.sum([_read(vector) for vector in vectors], axis=0, dtype=np.float32)
    return total.tobytes()


def _read(vector: bytes) -> Vectors:
    return np.frombuffer(vector, np.float16).astype(np.float32)
