"""What is wrong with an answer before it is saved: the rules for every text, its fields, its examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

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
from bot.scrub import find
from bot.topics import Topics
from bot.wording import Breach, breaches

MOST_EXAMPLES = 60
LONGEST_EXAMPLE = 200

_IN_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Problem:
    """What is wrong with an answer. `blocks`: it can't be saved like this; else staff may know better.

    where: the field. rule: what the rule for every text is called, when it is one.
    """

    where: str
    says: str
    blocks: bool = True
    rule: str = ""


class Checker:
    """Checks answers against everything that is known now.

    standings: of all answers of staff. today: the day at the clinic.
    """

    def __init__(
        self, topics: Topics, clinic: Clinic, standings: Sequence[AnswerStanding], today: date
    ) -> None:
        self._topics = topics
        self._clinic = clinic
        self._standings = standings
        self._today = today

    def problems(self, answer: Answer, reply: Reply, seen: Iterable[str] = ()) -> list[Problem]:
        """Everything that is wrong, what blocks it first.

        reply: what a visitor would get. seen: visitors' own wordings, which must not become examples.
        """
        found = [*self._text(answer, reply), *self._fields(answer), *self._examples(answer, seen)]
        return sorted(found, key=lambda problem: not problem.blocks)

    def _text(self, answer: Answer, reply: Reply) -> list[Problem]:
        broken = broken_rules(answer, reply, self._clinic)
        problems = [Problem(where, breach.says, breach.blocks, breach.name) for where, breach in broken]
        for name in _IN_BRACES.findall(answer.text):
            if name not in self._clinic.facts():
                problems.append(Problem("text", f"“{{{name}}}” can’t be filled in: write what is meant."))
        return problems

    def _fields(self, answer: Answer) -> list[Problem]:
        topics = self._topics
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
        if answer.review_by and answer.review_by < self._today:
            problems.append(Problem("review_by", "Choose a day that is still to come, or none."))
        return problems

    def _examples(self, answer: Answer, seen: Iterable[str]) -> list[Problem]:
        problems: list[Problem] = []
        topic = self._topics.get(answer.topic) if answer.topic else None
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
            problems += self._example(example, taken, verbatim, known)
            known.add(same_words(example))
        return problems

    def _example(
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
            says = f"{shown} is an example of “{self._topics.title(taken[words])}” already."
            return [Problem("examples", says)]
        kinds = {span.kind for span in find(example)}
        if kinds:
            personal = kinds - {"name"}
            what = "a name" if not personal else "somebody’s details"
            return [Problem("examples", f"{shown} seems to hold {what}.", blocks=bool(personal))]
        return []

    def _examples_of_others(self, topic: str) -> dict[str, str]:
        """Topics by the wordings of their examples, those of `topic` left out."""
        taken = {words: intent for words, intent in delivered_examples().items() if intent != topic}
        for standing in self._standings:
            answer = standing.latest
            if answer.topic != topic and answer.state is not AnswerState.WITHDRAWN:
                taken.update((same_words(example), answer.topic) for example in answer.examples)
        return taken


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
