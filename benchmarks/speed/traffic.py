"""What visitors send in the measurements: conversations of distinct messages and a stated share of repeats."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from benchmarks.judge import TOPICS_FILE
from benchmarks.stock import intents

TURNS = 5
"""Messages of a conversation."""

REPEATS = 0.3
"""Share of messages that somebody has sent before, word for word; the others are new to the server."""

MIX = {
    "faq": 0.56,
    "actions": 0.12,
    "not_published": 0.09,
    "chat": 0.08,
    "oos": 0.08,
    "multi": 0.03,
    "dialogues": 0.04,
}
"""What the new messages are, an assumption about a clinic's chat: questions about milia; bookings, offers and people to
speak to; what the clinic has not published; small talk; what nobody can answer here; several at once; follow-ups."""

BY_TOPIC = ("faq", "actions", "not_published", "chat")
"""Kinds that are groups of tests/data/topics.yml, to which topics and intents belong; the others are files."""

HELD_OUT = (Path("tests/data/samples"), Path("tests/data/validation"))

Conversation = list[str]


class Traffic:
    """Messages for one server. The same seed gives the same messages.

    texts: the distinct messages of each kind, in the proportions of `mix`. When a kind has none left, the
    messages that were there come again (which `used_up` tells).
    """

    def __init__(self, texts: Mapping[str, Sequence[str]], mix: Mapping[str, float], seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._mix = mix
        self._left = {kind: self._random.sample(list(some), len(some)) for kind, some in texts.items()}
        self._all = {kind: list(some) for kind, some in texts.items()}
        self._said: list[str] = []
        self.used_up = False

    def conversations(self, count: int, repeats: float = REPEATS) -> list[Conversation]:
        """The next conversations."""
        return [[self._next(repeats) for _ in range(TURNS)] for _ in range(count)]

    def _next(self, repeats: float) -> str:
        if self._said and self._random.random() < repeats:
            return self._random.choice(self._said)
        kind = self._random.choices(list(self._mix), list(self._mix.values()))[0]
        if not self._left[kind]:
            self.used_up = True
            self._left[kind] = self._random.sample(self._all[kind], len(self._all[kind]))
        text = self._left[kind].pop()
        self._said.append(text)
        return text


def of_the_clinic() -> Traffic:
    """What the clinic's visitors ask: the held-out samples, and training examples for want of more."""
    topics = yaml.safe_load(TOPICS_FILE.read_text(encoding="utf-8"))
    group_of = {topic: group for group in BY_TOPIC for topic in topics[group]}
    texts: dict[str, dict[str, None]] = {kind: {} for kind in MIX}
    for folder in HELD_OUT:
        for item in yaml.safe_load((folder / "questions.yml").read_text(encoding="utf-8")):
            if item["topic"] in group_of:
                texts[group_of[item["topic"]]][item["text"]] = None
        for kind in set(MIX) - set(BY_TOPIC):
            texts[kind].update(dict.fromkeys(_texts(folder / f"{kind}.yml")))
    for intent, examples in intents(Path("data/nlu.yml")):
        group = group_of.get(intent.removeprefix("faq/"))
        if group:
            texts[group].update(dict.fromkeys(examples))
    return Traffic({kind: list(some) for kind, some in texts.items()}, MIX)


def held_out() -> list[str]:
    """All messages that nobody trained on."""
    files = (
        folder / f"{kind}.yml" for folder in HELD_OUT for kind in ("questions", "oos", "multi", "dialogues")
    )
    return [text for file in files for text in _texts(file)]


def _texts(path: Path) -> list[str]:
    items = yaml.safe_load(path.read_text(encoding="utf-8"))
    return (
        [turn["user"] for item in items for turn in item["turns"]]
        if "turns" in items[0]
        else [i["text"] for i in items]
    )
