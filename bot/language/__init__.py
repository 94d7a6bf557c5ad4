"""Says in which language a message is written if not in English, so that its writer can be told so in it.

Calling English foreign is the dear mistake: the question stays unanswered. So English needs no proof, and
another language does. How it is done, and what was measured: docs/decisions/0003-language.md.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.language.scripts import language_by_script
from bot.language.words import language_by_words

LONGEST = 1000  # characters that are looked at: more of them say nothing new
OTHER = "other"

# The languages that have a reply of their own, `utter_other_language_<code>`; all others share one.
NAMES = {
    "zh": "Mandarin",
    "yue": "Cantonese",
    "ar": "Arabic",
    "vi": "Vietnamese",
    "pa": "Punjabi",
    "el": "Greek",
    "it": "Italian",
    "hi": "Hindi",
    "es": "Spanish",
    "ko": "Korean",
}
_CODES = {name: code for code, name in NAMES.items()}
_ADDRESS = re.compile(r"https?://|www\.|@", re.IGNORECASE)  # may hold the words of any language


@dataclass(frozen=True)
class Language:
    """A language other than English. code: a key of `NAMES`, or `OTHER`. name: in English, for the record."""

    code: str
    name: str


def identify(text: str) -> Language | None:
    """The language of a message; None for English and for what has none: numbers, names, emoji, gibberish."""
    words = (word for word in text[:LONGEST].split() if not _ADDRESS.search(word))
    text = unicodedata.normalize("NFKC", " ".join(words)).encode("utf-8", "ignore").decode("utf-8")
    name = (None if text.isascii() else language_by_script(text)) or language_by_words(text)
    return Language(_CODES.get(name, OTHER), name) if name else None
