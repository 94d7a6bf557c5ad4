"""The words of the review: groups of questions, what staff decide, accounts, call-back states, notices.

Standard library only, as `bot.model`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model import CallbackRequest, Candidate, UnansweredQuestion, new_id, utc_now

CLOSE = 0.05
"""Confidence with which a topic came close to a question."""

LIKELY = 0.3
"""Confidence from which one may be what a question was about: it is chosen beforehand."""


class GroupState(str, enum.Enum):
    """Where the review of a group stands."""

    NEW = "new"
    IN_REVIEW = "in_review"
    ANSWERED = "answered"
    DISMISSED = "dismissed"
    OUT_OF_SCOPE = "out_of_scope"
    CLINICAL = "clinical"


OPEN_STATES = (GroupState.NEW, GroupState.IN_REVIEW)


class Role(str, enum.Enum):
    """What an account may do; each may do all that those before it may."""

    REVIEWER = "reviewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


class CallbackState(str, enum.Enum):
    """How far a call-back has come. Withdrawn: by the person who had asked for it, before it was done."""

    OPEN = "open"
    TAKEN = "taken"
    NO_ANSWER = "no_answer"
    DONE = "done"
    WITHDRAWN = "withdrawn"


TO_CALL = (CallbackState.OPEN, CallbackState.TAKEN, CallbackState.NO_ANSWER)


@dataclass(frozen=True)
class Account:
    """A member of staff who may sign in.

    must_change: the password is a one-time one.
    """

    id: str
    name: str
    role: Role
    password_hash: str
    must_change: bool
    active: bool
    created_at: datetime
    last_sign_in_at: datetime | None = None


@dataclass(frozen=True)
class Who:
    """Who did something: an account, or the system itself when `id` is empty."""

    name: str
    id: str = ""


SYSTEM = Who("system")


@dataclass(frozen=True)
class HistoryEntry:
    """One line of the history, which is only ever appended to. It holds ids, never a visitor's text.

    subject: what kind of thing it is about: group, callback, clinic, person, account, system.
    undoes: the entry that this one takes back.
    """

    who: str
    action: str
    subject: str
    subject_id: str
    who_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    undoes: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class QuestionGroup:
    """Questions that mean the same.

    example: the text of one of them. people: distinct persons. urgent: a red flag is among them.
    assignee: id of an account. topic: the topic that answers it. version: rises with every decision.
    nearest: the topics that came closest, over the latest questions.
    """

    id: str
    state: GroupState
    topic: str
    assignee: str
    needs_answer: bool
    version: int
    people: int
    questions: int
    urgent: bool
    first_asked_at: datetime
    last_asked_at: datetime
    duplicate_of: str | None = None
    example: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)
    nearest: tuple[Candidate, ...] = ()


def close(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The topics that came close. That it seemed out of scope is why a question is here, and no topic."""
    return tuple(one for one in candidates if one.intent != "out_of_scope" and one.confidence >= CLOSE)


@dataclass(frozen=True)
class GroupFilter:
    """Which groups to list. Empty fields don't narrow the list."""

    states: tuple[str, ...] = tuple(state.value for state in OPEN_STATES)
    reason: str = ""
    channel: str = ""
    assignee: str = ""
    text: str = ""
    needs_answer: bool = False


@dataclass(frozen=True)
class Comment:
    """What one member of staff tells the others about a group."""

    group_id: str
    author: str
    text: str
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class Anchor:
    """A place in the space of meanings that draws questions: a group, or one that was merged into another.

    total: the sum of its questions' vectors, float32 bytes. root: the group that its questions are shown in.
    """

    id: str
    total: bytes
    root: str


@dataclass(frozen=True)
class Callback:
    """A call-back request with how far it has come."""

    request: CallbackRequest
    state: CallbackState = CallbackState.OPEN
    taken_by: str = ""
    attempts: int = 0
    version: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True)
class GroupPage:
    """Everything that the page of one group shows, from one reading."""

    group: QuestionGroup
    questions: tuple[UnansweredQuestion, ...]
    comments: tuple[Comment, ...]
    history: tuple[HistoryEntry, ...]


class ReviewError(Exception):
    """An action that can't be done; the message says why in words for staff."""


class NotThere(ReviewError):
    """What the action is about does not exist (any more)."""


class Conflict(ReviewError):
    """Somebody else was faster. `entry` is what they did; nothing was overwritten."""

    def __init__(self, entry: HistoryEntry | None) -> None:
        super().__init__("Somebody else changed this in the meantime.")
        self.entry = entry
