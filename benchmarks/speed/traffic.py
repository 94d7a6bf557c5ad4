"""What visitors send in the measurements: conversations of distinct messages and a stated share of repeats."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

TURNS = 5
"""Messages of a conversation."""

REPEATS = 0.3
"""Share of messages that somebody has sent before, word for word; the others are new to the server."""

MIX = {"questions": 0.80, "oos": 0.12, "multi": 0.03, "dialogues": 0.05}
"""What the new messages are: single questions, ones the assistant can't answer, several at once, pieces of dialogues."""

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
    """What the clinic's visitors ask: the held-out samples, and the training examples for want of more."""
    texts: dict[str, list[str]] = {kind: [] for kind in MIX}
    for folder in HELD_OUT:
        for kind in MIX:
            path = folder / f"{kind}.yml"
            if path.is_file():
                texts[kind] += _texts(path)
    known = {text for some in texts.values() for text in some}
    texts["questions"] += [
        text for text in dict.fromkeys(examples(Path("data/nlu.yml"))) if text not in known
    ]
    return Traffic({kind: list(dict.fromkeys(some)) for kind, some in texts.items()}, MIX)


def of_the_starter(nlu: Path) -> Traffic:
    """What Rasa's starter assistant understands: its own examples, which are few, so they come again and again."""
    return Traffic({"questions": list(examples(nlu))}, {"questions": 1.0})


def examples(nlu: Path) -> Iterator[str]:
    """The examples of a training file."""
    for block in yaml.safe_load(nlu.read_text(encoding="utf-8"))["nlu"]:
        if "intent" in block:
            yield from (line[2:].strip() for line in block["examples"].splitlines() if line.startswith("- "))


def _texts(path: Path) -> list[str]:
    items = yaml.safe_load(path.read_text(encoding="utf-8"))
    return (
        [turn["user"] for item in items for turn in item["turns"]]
        if "turns" in items[0]
        else [i["text"] for i in items]
    )
