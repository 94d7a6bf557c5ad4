"""A place in a text, and the text as a reader sees it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """From `start` up to `end` there is something of this kind: phone, email, dob and so on."""

    start: int
    end: int
    kind: str

    def touches(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


def visible(text: str) -> str:
    """The text with look-alikes written plainly, invisible characters as spaces, each at its place."""
    if text.isascii():
        return text
    return "".join(_plain(character) for character in text)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) in {"Cf", "Zs", "Cc", "Cs"}:
        return " "
    if unicodedata.category(character) == "Pd":
        return "-"
    if character in "’‘`´":
        return "'"
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character
