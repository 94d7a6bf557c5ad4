"""The topics that the assistant answers, with the titles and texts of domain.yml: what staff choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.clinic import Clinic
from bot.reply import fill

_ANSWERED = frozenset(
    "ask_discount ask_help ask_phone ask_privacy".split()
    + "book_appointment bot_challenge contact_human request_callback".split()
)


@dataclass(frozen=True)
class Topic:
    """One topic: its intent, what it is called, and its answer as a visitor reads it.

    is_answered: the clinic has published an answer; else the text says that it hasn't.
    """

    intent: str
    title: str
    text: str
    is_answered: bool = True


class Topics:
    """All topics by intent; those that staff may choose as the answer to a question are iterated over."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._by_intent = {topic.intent: topic for topic in topics}

    def __iter__(self) -> Any:
        answered = (topic for topic in self._by_intent.values() if topic.is_answered)
        return iter(sorted(answered, key=lambda topic: topic.title.lower()))

    def __contains__(self, intent: str) -> bool:
        topic = self._by_intent.get(intent)
        return topic is not None and topic.is_answered

    def get(self, intent: str) -> Topic | None:
        return self._by_intent.get(intent)

    def title(self, intent: str) -> str:
        """What a topic is called; its intent's own words when it has no title."""
        topic = self._by_intent.get(intent)
        return topic.title if topic else spoken(intent)


def load_topics(clinic: Clinic, domain_file: Path = Path("domain.yml")) -> Topics:
    """The topics of domain.yml."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    domain = yaml.load(domain_file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 -- a safe loader
    topics = []
    for name, variations in domain["responses"].items():
        intent = name.removeprefix("utter_")
        response = variations[0]
        title = (response.get("metadata") or {}).get("title")
        if intent.startswith("faq/") or title:
            text = fill(response.get("text") or "", clinic.facts())
            topics.append(Topic(intent, title or spoken(intent), text, has_answer(intent, clinic)))
    return Topics(topics)


def has_answer(intent: str, clinic: Clinic) -> bool:
    """Whether the assistant knows what to say to a question of this intent, rather than that it doesn't."""
    return intent.startswith("faq/") or intent in _ANSWERED or clinic.publishes(intent)


def spoken(intent: str) -> str:
    """An intent as people would say it: `faq/home_remedies` is "Home remedies"."""
    return intent.rpartition("/")[2].removeprefix("ask_").replace("_", " ").capitalize() or "Unknown"
