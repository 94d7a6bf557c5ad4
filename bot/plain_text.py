"""One plain line of whatever was typed; what is said with the same words."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*\x07?)")
_LATIN = re.compile(r"[A-Za-z]")
_LOOKALIKES = str.maketrans("аеорсухіјѕԁոսАВЕКМНОРСТХІЅοαεικνορτυ", "aeopcyxijsdnuABEKMHOPCTXISoaeiknoptu")
_BLANK_LETTERS = {ord(letter): " " for letter in "\u2800\u3164\u1160\u115f\uffa0"}
_BETWEEN_WORDS = re.compile(r"[^\w']+")
LONGEST = 2000
"""Characters of a wording that are compared."""


def normalise(text: str, limit: int) -> str:
    """One line of NFKC text without control, invisible or stacked characters; look-alike letters are Latin.

    Never longer than `limit` characters, and never works on more than four times that.
    """
    text = text[: 4 * limit]
    if text.isascii() and text.isprintable():  # as nearly everything that is typed
        return " ".join(text.split())[:limit].rstrip()
    text = _ESCAPE_SEQUENCE.sub(" ", text)
    kept = []
    marks = 0
    for letter in text:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind == "Mn" else 0
        if kind == "Cc" or letter in "\u2028\u2029":
            kept.append(" " if letter.isspace() else "")
        elif kind not in {"Cf", "Cs", "Co", "Cn"} and marks < 3:
            kept.append(letter)
    plain = unicodedata.normalize("NFKC", "".join(kept))[: 4 * limit]
    if _LATIN.search(plain):
        plain = " ".join(_latin(word) for word in plain.split())
    plain = plain.replace("’", "'").replace("‘", "'").translate(_BLANK_LETTERS)
    return " ".join(plain.split())[:limit].rstrip()


def _latin(word: str) -> str:
    """A word that mixes scripts, or consists of look-alikes of Latin letters, in Latin letters."""
    if word.isascii():
        return word
    changed = word.translate(_LOOKALIKES)
    stripped = "".join(c for c in unicodedata.normalize("NFD", changed) if unicodedata.category(c) != "Mn")
    mixed = _LATIN.search(word) and changed != word
    if mixed and changed.isascii():
        return changed
    # Stacked marks on plain letters ("zalgo"): two or more marks for each letter can't be a language.
    marks = sum(unicodedata.category(c) == "Mn" for c in unicodedata.normalize("NFD", word))
    return (
        stripped
        if stripped.isascii() and marks > len(stripped) // 2
        else changed
        if changed.isascii()
        else word
    )


def same_words(text: str) -> str:
    """The words of a text: equal for two texts that differ only in capitals, punctuation and blanks."""
    return " ".join(_BETWEEN_WORDS.split(normalise(text, LONGEST).casefold())).strip()
