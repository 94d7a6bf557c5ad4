"""Judges a reply by what a visitor reads, text and link targets, against tests/data/topics.yml."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

TOPICS_FILE = Path("tests/data/topics.yml")
HONEST = (
    r"(don.?t|do not|doesn.?t|isn.?t|hasn.?t|haven.?t|not|can.?t|cannot|unable).{0,60}"
    r"(know|have|say|tell|answer|help|publish|list|advise|sure|cover|speak|detail|inform|offer)"
)
GROUPS = ("faq", "actions", "not_published", "safety", "form", "chat")
OUT_OF_SCOPE = "out_of_scope"


class Verdict(str, enum.Enum):
    """What a reply is worth to the person who asked."""

    RIGHT = "right"
    ASKING = "asking"
    DONT_KNOW = "don't know"
    WRONG = "wrong"


@dataclass(frozen=True)
class Judge:
    """The expressions that a reply on each topic has to match."""

    topics: Mapping[str, Any]

    @classmethod
    def from_file(cls, path: Path = TOPICS_FILE) -> Judge:
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")))

    @cached_property
    def expressions(self) -> dict[str, list[re.Pattern[str]]]:
        """The compiled expressions of each topic."""
        replies = {name: topic["reply"] for group in GROUPS for name, topic in self.topics[group].items()}
        replies[OUT_OF_SCOPE] = self.topics[OUT_OF_SCOPE]["reply"]
        return {
            name: [
                re.compile(HONEST if each == "HONEST" else each, re.IGNORECASE | re.DOTALL)
                for each in expressions
            ]
            for name, expressions in replies.items()
        }

    def meets(self, text: str, topic: str) -> bool:
        """Whether a reply says what an answer on this topic must say. `chat` is any small talk."""
        if topic == "chat":
            return any(
                self.meets(text, name) for name in self.topics["chat"] if name not in {"affirm", "deny"}
            )
        return all(each.search(text) for each in self.expressions[topic])

    def verdict(self, messages: Iterable[Mapping[str, Any]], topics: Iterable[str]) -> Verdict:
        """The verdict on the messages of one turn, as the REST channel gives them, on any of these topics."""
        messages = list(messages)
        text = whole_text(messages)
        if any(
            button["title"] == "None of these"
            for message in messages
            for button in message.get("buttons", ())
        ):
            return Verdict.ASKING
        if any(self.meets(text, topic) for topic in topics):
            return Verdict.RIGHT
        return Verdict.DONT_KNOW if is_dont_know(text) and self.meets(text, OUT_OF_SCOPE) else Verdict.WRONG


def whole_text(messages: Iterable[Mapping[str, Any]]) -> str:
    """Everything that a visitor reads in one turn; links count by their targets, next steps don't count."""
    lines = []
    for message in messages:
        lines.append(message.get("text", ""))
        lines += [link["target"] for link in message.get("links", ())]
    return "\n".join(lines)


def is_dont_know(text: str) -> bool:
    """Whether it is one of the replies that admit not to know, or not to understand the language."""
    return bool(
        re.search(
            r"don.?t know that one|too long for me|can.?t see any words|only answer in English"
            r"|don.?t have the answer",
            text,
        )
    )
