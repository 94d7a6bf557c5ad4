"""What a process that holds a model does about its garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from bot.serving import memory


class Knot:
    """Holds itself: only a collection finds out that nobody else does."""

    left = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Knot.left += 1


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


def test_garbage_is_found_though_full_collections_are_rare() -> None:
    memory.keep()
    before, Knot.left = full_collections(), 0
    kept = []
    for _ in range(20 * gc.get_threshold()[0] * gc.get_threshold()[1]):  # twice Python's own ten times
        Knot()
        kept.append([])  # survives, so that young collections come
    assert Knot.left > 0.9 * len(kept)
    assert full_collections() == before


def test_what_is_there_is_not_walked_through_again() -> None:
    there = [[] for _ in range(1000)]
    memory.keep()
    assert gc.get_freeze_count() > len(there)
    assert all(one is not there[0] for one in gc.get_objects())
