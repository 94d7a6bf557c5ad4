"""The use cases of the answers: start one, check it, save it, approve it, and everything backwards."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.answer_model import (
    CLINICAL,
    FEWEST_EXAMPLES,
    MAX_NEXT_STEPS,
    Answer,
    AnswerStanding,
    AnswerState,
)
from bot.clinic import Clinic
from bot.examples import delivered_examples
from bot.model import Reply
from bot.plain_text import same_words
from bot.review_model import NotThere, ReviewError, Who
from bot.scrub import find
from bot.store.staff_store import StaffStore
from bot.topics import Topic, Topics, reply_with, spoken
from bot.wording import Breach, breaches

NEW = ""
"""The topic of an answer that has none yet."""

MOST_EXAMPLES = 60
LONGEST_EXAMPLE = 200
LONGEST_TEXT = 2000
LOOK_AGAIN_AFTER = timedelta(days=365)

_ADDED = "faq/"
_TOPIC = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)?")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_PRACTICAL = frozenset(
    "faq/about_clinic ask_discount ask_help ask_payment ask_phone ask_photo ask_policy ask_price ask_privacy "
    "book_appointment contact_human".split()
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with an answer. `blocks`: it can't be saved like this; else staff may know better.

    where: the field. rule: what the rule for every text is called, when it is one.
    """

    where: str
    says: str
    blocks: bool = True
    rule: str = ""


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

    def reply(self, answer: Answer) -> Reply:
        """The reply that a visitor would get."""
        known = replace(answer, topic=answer.topic or self._new_topic(answer.title))
        return reply_with(known, self._clinic(), self._others(answer.topic))

    def check(self, answer: Answer, seen: Iterable[str] = ()) -> list[Problem]:
        """Everything that is wrong with an answer, what blocks it first.

        seen: visitors' own wordings, which must not become examples.
        """
        found = [*self._check_text(answer), *self._check_fields(answer), *self._check_examples(answer, seen)]
        return sorted(found, key=lambda problem: not problem.blocks)

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

    # ------------------------------------------------------------ checks

    def _check_text(self, answer: Answer) -> list[Problem]:
        broken = broken_rules(answer, self.reply(answer), self._clinic())
        problems = [Problem(where, breach.says, breach.blocks, breach.name) for where, breach in broken]
        for name in _IN_BRACES.findall(answer.text):
            if name not in self._clinic().facts():
                problems.append(Problem("text", f"“{{{name}}}” can’t be filled in: write what is meant."))
        return problems

    def _check_fields(self, answer: Answer) -> list[Problem]:
        topics = self._topics()
        problems = []
        title = answer.title
        if not title:
            problems.append(Problem("title", "It needs a name: visitors see it on buttons."))
        same = [t for t in topics.all() if t.title.lower() == title.lower() and t.intent != answer.topic]
        if same:
            problems.append(Problem("title", f"Another answer is called “{same[0].title}” already."))
        steps = answer.next_steps
        unknown = [step for step in steps if step not in topics.titles]
        if unknown or len(set(steps)) < len(steps) or (answer.topic and answer.topic in steps):
            problems.append(Problem("next_steps", "Choose different next steps that lead somewhere else."))
        if len(steps) > MAX_NEXT_STEPS:
            problems.append(Problem("next_steps", f"At most {MAX_NEXT_STEPS} next steps."))
        if not steps:
            problems.append(Problem("next_steps", "A next step helps people to go on.", blocks=False))
        if answer.review_by and answer.review_by < self._today():
            problems.append(Problem("review_by", "Choose a day that is still to come, or none."))
        return problems

    def _check_examples(self, answer: Answer, seen: Iterable[str]) -> list[Problem]:
        problems: list[Problem] = []
        topic = self._topics().get(answer.topic) if answer.topic else None
        needed = 0 if topic and topic.has_default else FEWEST_EXAMPLES
        if len(answer.examples) < needed:
            problems.append(
                Problem("examples", f"Write at least {needed} ways in which somebody may ask it.")
            )
        if len(answer.examples) > MOST_EXAMPLES:
            problems.append(Problem("examples", f"{MOST_EXAMPLES} examples are enough."))
        taken = self._examples_of_others(answer.topic)
        verbatim = {same_words(text) for text in seen}
        known: set[str] = set()
        for example in answer.examples[:MOST_EXAMPLES]:
            problems += self._check_example(example, taken, verbatim, known)
            known.add(same_words(example))
        return problems

    def _check_example(
        self, example: str, taken: Mapping[str, str], verbatim: set[str], known: set[str]
    ) -> list[Problem]:
        words = same_words(example)
        shown = f"“{example[:60]}”"
        if not words or len(example) > LONGEST_EXAMPLE:
            says = (
                f"{shown} is no question: write what somebody may type, at most {LONGEST_EXAMPLE} characters."
            )
            return [Problem("examples", says)]
        if words in known:
            return [Problem("examples", f"{shown} stands there twice.")]
        if words in verbatim:
            says = f"{shown} is word for word what a visitor wrote. Say it in your own words."
            return [Problem("examples", says)]
        if words in taken:
            says = f"{shown} is an example of “{self._topics().title(taken[words])}” already."
            return [Problem("examples", says)]
        kinds = {span.kind for span in find(example)}
        if kinds:
            personal = kinds - {"name"}
            what = "a name" if not personal else "somebody’s details"
            return [Problem("examples", f"{shown} seems to hold {what}.", blocks=bool(personal))]
        return []

    # ------------------------------------------------------------ helpers

    def _others(self, topic: str) -> dict[str, Answer]:
        return {answer.topic: answer for answer in self._store.answers() if answer.topic != topic}

    def _examples_of_others(self, topic: str) -> dict[str, str]:
        """Topics by the wordings of their examples, those of `topic` left out."""
        taken = {words: intent for words, intent in delivered_examples().items() if intent != topic}
        for standing in self._store.answer_standings():
            answer = standing.latest
            if answer.topic != topic and answer.state is not AnswerState.WITHDRAWN:
                taken.update((same_words(example), answer.topic) for example in answer.examples)
        return taken

    def _waits(self, answer: Answer) -> bool:
        if not self._approval:
            return False
        live = next((one for one in self._store.answers() if one.topic == answer.topic), None)
        about_health = answer.health or (live is not None and live.health)
        return about_health and not (live and live.content == answer.content)

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


def broken_rules(answer: Answer, reply: Reply, clinic: Clinic) -> list[tuple[str, Breach]]:
    """The rules for every text that an answer breaks, each with the field that does.

    reply: what a visitor would get.
    """
    code = clinic.offer.code if clinic.offer else ""
    titles = tuple(step.title for step in reply.next_steps)
    found = breaches(reply.text, titles, code, answer.facts_published)
    if answer.topic == CLINICAL:  # it names what it can't advise on
        found = [breach for breach in found if breach.rule != 5]
    if code and code.lower() in reply.text.lower() and not clinic.offer_at():
        found.append(Breach(6, "The offer has ended: leave the code out."))
    of_title = breaches("-", (answer.title,)) if answer.title else []
    return [*(("text", breach) for breach in found), *(("title", breach) for breach in of_title)]


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
