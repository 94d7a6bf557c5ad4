"""What staff wrote and settled, live within two seconds: answers by topic, settled questions by wording."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol

from bot.answer_model import Answer, ResolvedQuestion, by_topic
from bot.live import Live
from bot.plain_text import same_words
from bot.settings import Settings
from bot.store.answers import AnswerStore


class Answers(Protocol):
    """What those who answer ask: a source that stays up to date, or fixed answers in a test."""

    @property
    def by_topic(self) -> Mapping[str, Answer]: ...

    def resolved(self, text: str) -> str | None: ...

    def stop(self) -> None: ...


class FixedAnswers:
    """Answers that don't change: none at all for whoever measures a model by itself."""

    def __init__(self, answers: Iterable[Answer] = (), resolved: Iterable[ResolvedQuestion] = ()) -> None:
        self.by_topic: Mapping[str, Answer] = by_topic(answers)
        self._resolved = Wordings()
        self._resolved.learn(resolved)

    def resolved(self, text: str) -> str | None:
        """The intent of a question that staff settled in these words; None when they didn't."""
        return self._resolved.intent(text)

    def stop(self) -> None:
        """There is nothing to stop."""


class AnswerSource(Live):
    """The answers of the database, up to date."""

    def __init__(self, settings: Settings, store: AnswerStore | None = None) -> None:
        self._store = store or AnswerStore(settings.store_url)
        self._version = -1
        self._by_topic: Mapping[str, Answer] = {}
        self._resolved = Wordings()
        super().__init__("answer-source")

    @property
    def by_topic(self) -> Mapping[str, Answer]:
        """The answers that staff wrote."""
        return self._by_topic

    def resolved(self, text: str) -> str | None:
        """The intent of a question that staff settled in these words; None when they didn't."""
        return self._resolved.intent(text)

    def look(self) -> None:
        version = self._store.version()  # first: what comes after it is read again next time
        if version != self._version:
            self._by_topic = by_topic(self._store.answers())  # texts before the long list
            self._resolved.learn(self._store.resolved_questions())
            self._version = version


class Wordings:
    """Intents by wording, however it is punctuated."""

    def __init__(self) -> None:
        self._intents: Mapping[str, str] = {}
        self._words: Mapping[str, str] = {}  # of texts that were read before: finding them takes time

    def learn(self, resolved: Iterable[ResolvedQuestion]) -> None:
        """Replaces all; of two decisions on the same words the later one, which comes first, counts."""
        words: dict[str, str] = {}
        intents: dict[str, str] = {}
        for question in resolved:
            text = question.text
            words[text] = self._words.get(text) or same_words(text)
            intents.setdefault(words[text], question.intent)
        intents.pop("", None)
        self._words, self._intents = words, intents

    def intent(self, text: str) -> str | None:
        """What these words get."""
        return self._intents.get(same_words(text)) if self._intents else None


_shared: dict[str, Answers] = {}
_sharing = threading.Lock()


def shared_answers(settings: Settings) -> Answers:
    """The process's one source for these settings, made when it is first asked for."""
    with _sharing:
        if settings.store_url not in _shared:
            _shared[settings.store_url] = AnswerSource(settings)
        return _shared[settings.store_url]


def share(settings: Settings, answers: Answers) -> None:
    """Puts other answers in the place of the process's source: `FixedAnswers()` to measure a model alone."""
    with _sharing:
        _shared[settings.store_url] = answers
