"""What changed between two revisions of an answer, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from bot.answer_model import Answer, AnswerState
from bot.topics import Topics

SAME, ADDED, REMOVED = "same", "added", "removed"
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Change:
    """One field that changed: its name for staff, and its pieces, each `same`, `added` or `removed`."""

    name: str
    pieces: tuple[tuple[str, str], ...]


def changes(old: Answer | None, new: Answer, topics: Topics) -> list[Change]:
    """What `new` changed; everything, when there is no older revision."""
    before = dict(_shown(old, topics)) if old else {"Withdrawn": "no", "Facts are published": "no"}
    return [
        Change(name, pieces(before.get(name, ""), text))
        for name, text in _shown(new, topics)
        if before.get(name, "") != text
    ]


def pieces(old: str, new: str) -> tuple[tuple[str, str], ...]:
    """Two texts as one, in pieces that both have and that only one has."""
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    found: list[tuple[str, str]] = []
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append((SAME, "".join(a[a1:a2])))
            continue
        found += [(REMOVED, "".join(a[a1:a2]))] if a1 < a2 else []
        found += [(ADDED, "".join(b[b1:b2]))] if b1 < b2 else []
    return tuple(found)


def _shown(answer: Answer, topics: Topics) -> Iterator[tuple[str, str]]:
    """The fields of an answer as staff read them."""
    yield "Name", answer.title
    yield "Text", answer.text
    yield "Next steps", "\n".join(topics.title(step) for step in answer.next_steps)
    yield "Example questions", "\n".join(answer.examples)
    yield "Answers the question", "yes" if answer.is_answered else "no"
    yield "About health", "yes" if answer.health else "no"
    yield "Facts are published", "yes" if answer.facts_published else "no"
    yield "Kept right by", answer.owner
    yield "Look again on", answer.review_by.isoformat() if answer.review_by else ""
    yield "Withdrawn", "yes" if answer.state is AnswerState.WITHDRAWN else "no"
