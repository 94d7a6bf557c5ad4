"""The words of the answers: what staff write, its revisions, and questions that staff have settled.

Standard library only, as `bot.model`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.model import utc_now

OUT_OF_SCOPE = "out_of_scope"
CLINICAL = "ask_medical"
"""What a question gets that only a person may answer: the reply that sends to a doctor or to the clinic."""

MAX_NEXT_STEPS = 3
FEWEST_EXAMPLES = 3
"""Examples that a new topic needs; with fewer it is found in hardly other words than theirs."""


class AnswerState(str, enum.Enum):
    """What became of a revision. Only approved ones are said to visitors."""

    DRAFT = "draft"  # waits for a second person
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"  # from here on the text of domain.yml stands again, or none


@dataclass(frozen=True)
class Answer:
    """One revision of what the assistant says to a topic, as staff wrote it.

    topic: the full intent, such as `faq/parking` or `ask_price`.
    title: what its button is called. text: with `{names}` of the clinic's facts.
    next_steps: intents of the buttons below it, at most three.
    examples: how somebody may ask it, in the words of staff, for training.
    is_answered: it answers the question; else it only says that the clinic has no answer.
    health: it is about somebody's health, so that a second person may have to approve it.
    facts_published: the writer says that a price in it is one that the clinic has published.
    owner: who keeps it right. review_by: the day after which it comes back to be looked at again.
    """

    topic: str
    title: str
    text: str
    next_steps: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    is_answered: bool = True
    health: bool = True
    facts_published: bool = False
    owner: str = ""
    review_by: date | None = None
    state: AnswerState = AnswerState.APPROVED
    revision: int = 0
    written_by: str = ""
    written_at: datetime = field(default_factory=utc_now)
    approved_by: str = ""
    approved_at: datetime | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """What staff can change: equal for two revisions that say the same."""
        return tuple(getattr(self, name) for name in CONTENT)

    @property
    def said(self) -> tuple[object, ...]:
        """The same without what only concerns staff."""
        return tuple(getattr(self, name) for name in CONTENT if name not in ("owner", "review_by"))


CONTENT = (
    "topic", "title", "text", "next_steps", "examples", "is_answered", "health", "facts_published", "owner",
    "review_by",
)  # fmt: skip
"""The fields of an answer that staff write; the others say what became of it."""


@dataclass(frozen=True)
class AnswerStanding:
    """Where an answer stands: its latest revision, the one that visitors get, and whether it is overdue.

    live: number of the revision that is said; None: that of domain.yml, or none.
    due: its review-by day has passed and nobody has looked at it since.
    """

    latest: Answer
    live: int | None
    due: bool = False

    @property
    def waits(self) -> bool:
        """Whether a second person has to approve the latest revision."""
        return self.latest.state is AnswerState.DRAFT


@dataclass(frozen=True)
class ResolvedQuestion:
    """A wording that staff have seen and settled: who asks it again in the same words gets this at once.

    text: the visitor's words, scrubbed. They go when the visitor is erased, and are never exported.
    intent: what it must get; `out_of_scope` or `ask_medical` when it must not be answered.
    example_allowed: whether it may be an example for training; a visitor's own words never are.
    """

    text: str
    intent: str
    resolved_by: str
    at: datetime
    group_id: str = ""
    example_allowed: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the assistant must not answer it."""
        return self.intent in (OUT_OF_SCOPE, CLINICAL)


def by_topic(answers: Iterable[Answer]) -> dict[str, Answer]:
    """Answers under their topics."""
    return {answer.topic: answer for answer in answers}
