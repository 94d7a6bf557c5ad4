"""Knows what a few words ask after an answer, where they name another topic themselves (follow_ups.yml)."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

LONGEST = 14
"""Words; what says more says what it is about."""


def _read(path: Path) -> list[tuple[frozenset[str], re.Pattern[str], str | None]]:
    """After which answers, what is said, and what it asks for (None: the same again)."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))

    def filled_in(says: str) -> str:
        for name, stands_for in written["words"].items():
            says = says.replace(f"{{{name}}}", stands_for)
        return says

    return [
        (frozenset(one["after"]), re.compile("|".join(map(filled_in, one["says"]))), one.get("asks"))
        for one in written["follow_ups"]
    ]


_FOLLOW_UPS = _read(Path(__file__).with_suffix(".yml"))  # at once: a slip in it is no visitor's trouble


def follow_up(text: str, topic: str | None) -> str | None:
    """The topic that a text asks about after an answer; None when it is no such follow-up.

    Args:
        text: corrected, in lower case.
        topic: what the visitor was last told about.
    """
    plain = text.strip(" ?!.")
    if topic is None or len(plain.split()) > LONGEST:
        return None
    for after, says, asks in _FOLLOW_UPS:
        if topic in after and says.search(plain):
            return asks or topic
    return None
