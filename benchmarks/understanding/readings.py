"""What texts were taken for, and the figures of it: the same for this project's pipeline and for Rasa's defaults."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import auroc, calibration_error, fpr95, quantile

UNKNOWN = frozenset({"out_of_scope", "other_language", "nlu_fallback"})
Meets = Callable[[str, Sequence[str]], bool]
"""Whether the reply to an intent says what an answer on one of the topics must say."""


@dataclass(frozen=True)
class Taken:
    """What a text was taken for.

    intent: with its sub-topic, after all decisions. clauses: the intents of several questions.
    topic: the likeliest one that could be answered. known: between 0 and 1, that it is the right one.
    measures: what `known` was worked out from: log probability of the topic, nearness of its examples, evidence for any.
    """

    intent: str
    topic: str
    known: float
    clauses: tuple[str, ...] = ()
    measures: tuple[float, ...] = ()

    @property
    def answered(self) -> list[str]:
        """The intents that are answered."""
        return [intent for intent in self.clauses or (self.intent,) if intent not in UNKNOWN]


@dataclass(frozen=True)
class Questions:
    """How questions with a known answer came out. verdicts: right, asking, don't know, wrong."""

    verdicts: Counter[str] = field(default_factory=Counter)
    by_topic: Mapping[str, Counter[str]] = field(default_factory=dict)
    confused: Counter[tuple[str, str]] = field(default_factory=Counter)

    def share(self, verdict: str) -> float:
        """The share of a verdict."""
        return self.verdicts[verdict] / max(1, sum(self.verdicts.values()))


def judged(items: Sequence[Mapping[str, Any]], taken: Sequence[Taken], meets: Meets, asks: bool) -> Questions:
    """The verdicts on questions. asks: whether `nlu_fallback` offers a choice, and does not just admit."""
    result = Questions(by_topic={})
    for item, one in zip(items, taken, strict=True):
        topics = [item["topic"], *item.get("also", ())]
        if any(meets(intent, topics) for intent in one.answered):
            verdict = "right"
        elif one.answered:
            verdict = "wrong"
        else:
            verdict = "asking" if asks and one.intent == "nlu_fallback" else "don't know"
        result.verdicts[verdict] += 1
        result.by_topic.setdefault(item["topic"], Counter())[verdict] += 1  # type: ignore[attr-defined]
        if verdict == "wrong":
            result.confused[item["topic"], " + ".join(one.answered)] += 1
    return result


def refused(items: Sequence[Mapping[str, Any]], taken: Sequence[Taken], meets: Meets) -> dict[str, float]:
    """The share of messages out of scope that are not answered as a topic, in all and by kind."""
    kinds: dict[str, list[bool]] = {}
    for item, one in zip(items, taken, strict=True):
        allowed = [*item.get("also_ok", ()), *([item["topic"]] if "topic" in item else [])]
        right = all(meets(intent, allowed) for intent in one.answered)
        kinds.setdefault(item["kind"], []).append(right)
    every = [right for some in kinds.values() for right in some]
    return {
        "all": statistics.mean(every),
        **{kind: statistics.mean(some) for kind, some in sorted(kinds.items())},
    }


def several(items: Sequence[Mapping[str, Any]], taken: Sequence[Taken], meets: Meets) -> dict[str, float]:
    """The shares of messages of several questions with every question answered, and with one at least."""
    met = [
        [any(meets(intent, [topic]) for intent in one.answered) for topic in item["topics"]]
        for item, one in zip(items, taken, strict=True)
    ]
    return {"every": statistics.mean(map(all, met)), "one": statistics.mean(map(any, met))}


def separation(known: Sequence[Taken], unknown: Sequence[Taken]) -> dict[str, float]:
    """How well the measure of being known tells known messages from unknown ones."""
    inside, outside = [one.known for one in known], [one.known for one in unknown]
    return {"auroc": auroc(inside, outside), "fpr95": fpr95(inside, outside)}


def calibration(taken: Sequence[Taken], right: Sequence[bool]) -> float:
    """Expected calibration error of `known`, as the probability that the likeliest topic is the right one."""
    return calibration_error([one.known for one in taken], right)


def latency(seconds: Sequence[float]) -> dict[str, float]:
    """Median and p99."""
    return {"median": statistics.median(seconds), "p99": quantile(seconds, 0.99)}
