"""A text that is read when a decision depends on it: most follow-ups are plain without their context."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.components.topic_classifier import Reading


class LaterReading:
    """What a text is about, once somebody asks.

    text: what is read.
    read: reads it, which takes as long as reading a message.
    most: the most that the probability of a topic can be in it, which takes a tenth of that.
    """

    def __init__(self, text: str, read: Callable[[str], Reading], most: Callable[[str, str], float]) -> None:
        self.text = text
        self._read = read
        self._most = most

    @cached_property
    def reading(self) -> Reading:
        return self._read(self.text)

    def reaches(self, topic: str, probability: float) -> bool:
        """Whether a topic has at least a probability in it; read only if that is possible."""
        possible = self._most(self.text, topic) >= probability
        return possible and self.reading.probability(topic) >= probability
