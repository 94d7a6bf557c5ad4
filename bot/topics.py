"""The topics that the assistant answers, as visitors get them: what staff choose from, and edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.answer_model import CLINICAL, Answer
from bot.answer_reply import Responses, as_response, titles_of
from bot.clinic import Clinic
from bot.model import Reply
from bot.reply import fill, to_reply

NO_ANSWERS: Mapping[str, Answer] = {}

_ANSWERED = frozenset(
    "ask_discount ask_help ask_phone ask_privacy".split()
    + "book_appointment bot_challenge contact_human request_callback".split()
)


@dataclass(frozen=True)
class Topic:
    """One topic: its intent, what it is called, and its answer as a visitor reads it.

    is_answered: the clinic has published an answer; else the text says that it hasn't.
    template: the text with `{names}` that are filled in. next_steps: intents of its buttons.
    has_default: domain.yml has a text for it. from_clinic: it is written on the page of the clinic's details.
    """

    intent: str
    title: str
    text: str
    is_answered: bool = True
    template: str = ""
    next_steps: tuple[str, ...] = ()
    has_default: bool = True
    from_clinic: bool = False


class Topics:
    """All topics by intent; those that staff may choose as the answer to a question are iterated over.

    titles: of everything that a button may lead to, by intent.
    """

    def __init__(self, topics: Sequence[Topic], titles: Mapping[str, str] | None = None) -> None:
        self._by_intent = {topic.intent: topic for topic in topics}
        self.titles = dict(titles or {})

    def __iter__(self) -> Any:
        return iter([topic for topic in self.all() if topic.is_answered])

    def __contains__(self, intent: str) -> bool:
        topic = self._by_intent.get(intent)
        return topic is not None and topic.is_answered

    def all(self) -> list[Topic]:
        """Every topic, those without an answer too, by title."""
        return sorted(self._by_intent.values(), key=lambda topic: topic.title.lower())

    def get(self, intent: str) -> Topic | None:
        return self._by_intent.get(intent)

    def title(self, intent: str) -> str:
        """What a topic is called; its intent's own words when it has no title."""
        topic = self._by_intent.get(intent)
        return topic.title if topic else self.titles.get(intent, spoken(intent))


def load_topics(
    clinic: Clinic, answers: Mapping[str, Answer] = NO_ANSWERS, domain_file: Path = Path("domain.yml")
) -> Topics:
    """The topics of domain.yml, with what staff wrote in their place, and those that staff added.

    answers: of staff, by topic.
    """
    responses = default_responses(domain_file)
    titles = titles_of(responses, answers)
    intents = {name.removeprefix("utter_") for name in responses}
    topics = []
    for intent in [intent for intent in intents if intent.startswith("faq/") or intent in titles] + [
        topic for topic in answers if topic not in intents
    ]:
        known = f"{intent}_known" in intents
        response = responses.get(f"utter_{intent}{'_known' if clinic.publishes(intent) else ''}", [{}])[0]
        if answer := answers.get(intent):
            response = as_response(answer, response, titles)
        template = response.get("text") or ""
        topics.append(
            Topic(
                intent,
                titles.get(intent) or spoken(intent),
                fill(template, clinic.facts()),
                has_answer(intent, clinic, answers),
                template,
                tuple(button["payload"].removeprefix("/") for button in response.get("buttons") or ()),
                has_default=intent in intents,
                from_clinic=known,
            )
        )
    return Topics(topics, titles)


def reply_with(
    answer: Answer,
    clinic: Clinic,
    answers: Mapping[str, Answer] = NO_ANSWERS,
    domain_file: Path = Path("domain.yml"),
) -> Reply:
    """The reply that a visitor would get if this answer were live."""
    responses = default_responses(domain_file)
    default = responses.get(f"utter_{answer.topic}", [None])[0]
    titles = titles_of(responses, {**answers, answer.topic: answer})
    return to_reply(as_response(answer, default, titles), clinic)


def default_responses(domain_file: Path = Path("domain.yml")) -> Responses:
    """The responses of domain.yml by name; a file is read once a process."""
    return _read(domain_file.absolute())


@lru_cache(maxsize=4)
def _read(domain_file: Path) -> Responses:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    domain = yaml.load(domain_file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 -- a safe loader
    responses: Responses = domain["responses"]
    return responses


def has_answer(intent: str, clinic: Clinic, answers: Mapping[str, Answer] = NO_ANSWERS) -> bool:
    """Whether the assistant knows what to say to a question of this intent, rather than that it doesn't.

    answers: of staff, by topic. What only a person may answer is never answered, whatever its text says.
    """
    if (answer := answers.get(intent)) and intent != CLINICAL:
        return answer.is_answered
    return intent.startswith("faq/") or intent in _ANSWERED or clinic.publishes(intent)


def spoken(intent: str) -> str:
    """An intent as people would say it: `faq/home_remedies` is "Home remedies"."""
    return intent.rpartition("/")[2].removeprefix("ask_").replace("_", " ").capitalize() or "Unknown"
