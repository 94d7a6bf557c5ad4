"""The use cases of the answers: start one, check it, save it, approve it, and everything backwards."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from bot.answer_check import Checker, Problem
from bot.answer_model import Answer, AnswerStanding, AnswerState
from bot.clinic import Clinic
from bot.model import Reply
from bot.review_model import NotThere, ReviewError, Who
from bot.store.staff_store import StaffStore
from bot.topics import Topic, Topics, load_topics, reply_with, spoken

NEW = ""
"""The topic of an answer that has none yet."""

LOOK_AGAIN_AFTER = timedelta(days=365)

_ADDED = "faq/"
_TOPIC = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)?")
_PRACTICAL = frozenset(
    "faq/about_clinic ask_discount ask_help ask_payment ask_phone ask_photo ask_policy ask_price ask_privacy "
    "book_appointment contact_human".split()
)


class Unfinished(ReviewError):
    """The answer can't be saved as it is."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("It can’t be saved yet: see below.")
        self.problems = problems


class Editor:
    """What staff can do with answers.

    today: the day at the clinic. approval: whether what is about health waits for a second person.
    """

    def __init__(
        self,
        store: StaffStore,
        topics: Callable[[], Topics],
        clinic: Callable[[], Clinic],
        today: Callable[[], date],
        approval: bool = False,
    ) -> None:
        self._store = store
        self._topics = topics
        self._clinic = clinic
        self._today = today
        self._approval = approval

    # ------------------------------------------------------------ reading

    def start(self, topic: str, who: Who) -> tuple[Answer, AnswerStanding | None]:
        """What the form for a topic begins with, and where its answer stands."""
        if topic == NEW:
            return Answer(NEW, "", "", owner=who.name, review_by=self._today() + LOOK_AGAIN_AFTER), None
        standing = self._store.answer_standing(topic)
        if standing and standing.latest.state is not AnswerState.WITHDRAWN:
            return standing.latest, standing
        known = self._topics().get(topic)
        if known is None and standing is None:
            raise NotThere("There is no such answer.")
        if known is None or known.from_clinic:
            if standing is None:
                raise NotThere("This answer is filled in from the clinic’s details.")
            return standing.latest, standing
        return as_delivered(known), standing

    def delivered(self, topic: str) -> Answer | None:
        """The answer that came with the assistant; None for a topic that staff added."""
        known = load_topics(self._clinic()).get(topic)
        return as_delivered(known) if known else None

    def reply(self, answer: Answer) -> Reply:
        """The reply that a visitor would get."""
        known = replace(answer, topic=answer.topic or self._new_topic(answer.title))
        return reply_with(known, self._clinic(), self._others(answer.topic))

    def check(self, answer: Answer, seen: Iterable[str] = ()) -> list[Problem]:
        """Everything that is wrong with an answer, what blocks it first.

        seen: visitors' own wordings, which must not become examples.
        """
        checker = Checker(self._topics(), self._clinic(), self._store.answer_standings(), self._today())
        return checker.problems(answer, self.reply(answer), seen)

    # ------------------------------------------------------------ writing

    def save(
        self, answer: Answer, before: int, who: Who, group: tuple[str, int] | None = None,
        seen: Iterable[str] = (),
    ) -> Answer:  # fmt: skip
        """Saves an answer; says what became of it: live, or waiting for a second person.

        group: id and version of the question for which it is written; it counts as answered from then on.

        Raises:
            Unfinished: something that blocks is wrong with it.
            Conflict: somebody else was faster.
        """
        problems = [problem for problem in self.check(answer, seen) if problem.blocks]
        if problems:
            raise Unfinished(problems)
        answer = replace(answer, topic=answer.topic or self._new_topic(answer.title))
        standing = self._store.answer_standing(answer.topic)
        unchanged = standing and standing.latest.content == answer.content and not standing.due
        if standing and unchanged and before == standing.latest.revision and group is None:
            return standing.latest
        answer = replace(answer, state=AnswerState.APPROVED)
        return self._store.save(answer, before, who, waits=self._waits(answer), group=group)

    def approve(self, topic: str, revision: int, who: Who) -> None:
        """A second person says that the waiting revision may go live."""
        self._store.approve(topic, revision, who)

    def restore(self, topic: str, revision: int, before: int, who: Who) -> Answer:
        """An earlier revision stands again, as a new one."""
        old = next((one for one in self._store.revisions(topic) if one.revision == revision), None)
        return self._store.restore(topic, revision, before, who, waits=old is not None and self._waits(old))

    def withdraw(self, topic: str, before: int, who: Who) -> Answer:
        """Takes an answer of staff away; the delivered text stands again, if there is one."""
        return self._store.withdraw(topic, before, who, self._has_default(topic))

    def undo(self, topic: str, before: int, who: Who, entry_id: str) -> Answer:
        """Takes the latest step back."""
        has_default = self._has_default(topic)
        return self._store.undo_answer(topic, before, who, entry_id, has_default=has_default)

    def still_right(self, topic: str, before: int, who: Who) -> Answer:
        """Somebody has looked at an answer whose day had passed: it is right, for another year."""
        answer, _ = self.start(topic, who)
        return self.save(replace(answer, review_by=self._today() + LOOK_AGAIN_AFTER), before, who)

    # ------------------------------------------------------------ helpers

    def _others(self, topic: str) -> dict[str, Answer]:
        return {answer.topic: answer for answer in self._store.answers() if answer.topic != topic}

    def _waits(self, answer: Answer) -> bool:
        if not self._approval:
            return False
        live = next((one for one in self._store.answers() if one.topic == answer.topic), None)
        about_health = answer.health or (live is not None and live.health)
        return about_health and not (live and live.said == answer.said)

    def _has_default(self, topic: str) -> bool:
        known = self._topics().get(topic)
        return known is not None and known.has_default

    def _new_topic(self, title: str) -> str:
        """A topic for a title that nothing else has."""
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        slug = "_".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("_") or "answer"
        taken = {topic.intent for topic in self._topics().all()}
        taken |= {standing.latest.topic for standing in self._store.answer_standings()}
        number = 1
        while (topic := f"{_ADDED}{slug}{f'_{number}' if number > 1 else ''}") in taken:
            number += 1
        return topic


def as_delivered(topic: Topic) -> Answer:
    """The answer that domain.yml has for a topic, to begin an edit with."""
    return Answer(
        topic.intent, topic.title, topic.template, topic.next_steps, is_answered=topic.is_answered,
        health=topic.intent not in _PRACTICAL,
    )  # fmt: skip


def is_topic(text: str) -> bool:
    """Whether a text has the form of a topic's name."""
    return len(text) <= 60 and bool(_TOPIC.fullmatch(text))


def title_of(topic: str, topics: Topics) -> str:
    """What an answer is called, also when it is withdrawn."""
    known = topics.get(topic)
    return known.title if known else spoken(topic)
