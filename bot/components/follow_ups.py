"""Knows what a few words ask after an answer, where they name another topic themselves (follow_ups.yml)."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

LONGEST = 14
"""Words; what says more says what it is about."""

FILE = Path(__file__).with_suffix(".yml")


@lru_cache(maxsize=1)
def _follow_ups() -> list[tuple[frozenset[str], re.Pattern[str], str | None]]:
    """After which answers, what is said, and what it asks for (None: the same again)."""
    written = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    words: dict[str, str] = written["words"]
    return [
        (
            frozenset(one["after"]),
            re.compile("|".join(_filled_in(says, words) for says in one["says"])),
            one.get("asks"),
        )
        for one in written["follow_ups"]
    ]


def _filled_in(says: str, words: dict[str, str]) -> str:
    for name, stands_for in words.items():
        says = says.replace(f"{{{name}}}", stands_for)
    return says


def follow_up(text: str, topic: str | None) -> str | None:
    """The topic that a text asks about after an answer; None when it is no such follow-up.

    Args:
        text: corrected, in lower case.
        topic: what the visitor was last told about.
    """
    plain = text.strip(" ?!.")
    if topic is None or len(plain.split()) > LONGEST:
        return None
    for after, says, asks in _follow_ups():
        if topic in after and says.search(plain):
            return asks or topic
    return None
