"""A text that is read later: once, and only when what is asked of it can be so."""

from bot.components.later_reading import LaterReading
from bot.components.topic_classifier import Reading


def later(most: float) -> tuple[LaterReading, list[str]]:
    read: list[str] = []

    def note(text: str) -> Reading:
        read.append(text)
        return Reading(text, (("emergency", 0.9), ("greet", 0.1)), 0.8)

    return LaterReading("my throat", note, lambda *_: most), read


def test_it_is_read_once() -> None:
    in_context, read = later(most=1.0)
    assert not read
    assert in_context.reading.topic == "emergency"
    assert in_context.reaches("emergency", 0.8)
    assert not in_context.reaches("greet", 0.8)
    assert read == ["my throat"]


def test_what_is_impossible_needs_no_reading() -> None:
    in_context, read = later(most=0.7)
    assert not in_context.reaches("emergency", 0.8)
    assert not read
