"""The gate: a candidate goes live only if it does no worse than the live release, question by question."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.answer_model import OUT_OF_SCOPE, ResolvedQuestion
from bot.plain_text import same_words
from bot.release_model import Answered, Difference, Outcome, Report

GOLDEN = Path("gate/golden.yml")
RIGHT = 3


@dataclass(frozen=True)
class Question:
    """A question whose right outcome is known. key: as in `Difference`."""

    key: str
    text: str
    expected: tuple[str, ...]
    is_golden: bool = True


def golden(path: Path = GOLDEN) -> tuple[Question, ...]:
    """The golden questions of the repository; none when there is no such file."""
    if not path.is_file():
        return ()
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        Question(text, text, tuple(topics.split())) for topics, texts in data.items() for text in texts
    )


def settled(resolved: Iterable[ResolvedQuestion]) -> tuple[Question, ...]:
    """What staff settled, each wording once, the latest decision first."""
    found: dict[str, Question] = {}
    for question in resolved:
        key = key_of(question.text)
        found.setdefault(key, Question(key, question.text, (question.intent,), is_golden=False))
    return tuple(found.values())


def key_of(text: str) -> str:
    """A name for a visitor's words that doesn't repeat them."""
    return hashlib.sha256(same_words(text).encode()).hexdigest()[:32]


def grade(outcome: Outcome, expected: Sequence[str]) -> int:
    """How good an outcome is: right, then asking with the right one among the choices, then admitting not to
    know, then anything else. For what must not be answered, asking is better than answering."""
    wanted, got = set(expected), set(outcome.intents)
    if OUT_OF_SCOPE in wanted and outcome.kind is not Answered.TOPIC:
        return RIGHT if outcome.kind is Answered.REFUSES else 1
    if outcome.kind is Answered.REFUSES:
        return 1
    if outcome.kind is Answered.ASKS:
        return 2 if wanted & got else 0
    if got and got <= wanted:
        return RIGHT
    return 2 if wanted & got else 0


def compare(
    questions: Iterable[Question], live: Mapping[str, Outcome], candidate: Mapping[str, Outcome]
) -> Report:
    """What a candidate does otherwise than the live release; outcomes by the questions' keys."""
    differences, count, right_live, right_candidate = [], 0, 0, 0
    for question in questions:
        before, after = live[question.key], candidate[question.key]
        was, now = grade(before, question.expected), grade(after, question.expected)
        count += 1
        right_live += was == RIGHT
        right_candidate += now == RIGHT
        if now != was:
            differences.append(
                Difference(
                    question.key,
                    question.expected,
                    before,
                    after,
                    worse=now < was,
                    is_golden=question.is_golden,
                )
            )
    differences.sort(key=lambda one: (not one.worse, one.key))
    return Report(count, right_live, right_candidate, tuple(differences))
