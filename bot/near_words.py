"""Words that are spelled nearly alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA


class NearWords:
    """A vocabulary that is asked which of its words somebody may have meant to type."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for word in words:
            self._by_length[len(word)].append(word)

    def within(self, word: str, slips: int) -> Iterator[tuple[str, int]]:
        """The words that so many slips or fewer make into this one, with their number. A slip is a letter too
        many, a missing or a wrong one, or one that changed places with its neighbour."""
        for length in range(len(word) - slips, len(word) + slips + 1):
            found = process.extract(
                word, self._by_length.get(length, ()), scorer=OSA.distance, score_cutoff=slips, limit=None
            )
            yield from ((near, distance) for near, distance, _ in found)
