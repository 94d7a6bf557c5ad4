"""The words of publishing: what a candidate is made of, the steps of a run, what the tests found, releases.

Standard library only, as `bot.model`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model import Reply, new_id, utc_now
from bot.review_model import ReviewError


class RunState(str, enum.Enum):
    """How far a publish run has come. READY: tested, and waits until somebody makes it live."""

    QUEUED = "queued"
    VALIDATING = "validating"
    TRAINING = "training"
    TESTING = "testing"
    READY = "ready"
    LIVE = "live"
    REFUSED = "refused"
    FAILED = "failed"


ACTIVE = (RunState.QUEUED, RunState.VALIDATING, RunState.TRAINING, RunState.TESTING)


class Answered(str, enum.Enum):
    """What an assistant does with a question."""

    TOPIC = "topic"
    ASKS = "asks"
    REFUSES = "refuses"


@dataclass(frozen=True)
class TopicPart:
    """What staff decided on one intent, as a model is made with it.

    text: empty when staff only added examples. examples: never a visitor's own words.
    """

    topic: str
    title: str = ""
    text: str = ""
    next_steps: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decisions:
    """What staff decided, by intent; the repository's files are the rest of what a model is made of."""

    topics: tuple[TopicPart, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.topics)

    @property
    def learned(self) -> dict[str, tuple[str, ...]]:
        """What a model learns of it: examples by topic. Texts are live without training."""
        return {part.topic: tuple(sorted(set(part.examples))) for part in self.topics}


@dataclass(frozen=True)
class Outcome:
    """What a model does with one question.

    intents: what it answers, several for several questions; or what it offers to choose from.
    """

    kind: Answered
    intents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """A question that the candidate answers otherwise than the live release.

    key: the text of a golden question; else a digest, because a visitor's words stay in one place.
    expected: the intents that are right. worse: the candidate is further from right than the live release.
    accepted_by: who of staff took it although it is worse.
    """

    key: str
    expected: tuple[str, ...]
    live: Outcome
    candidate: Outcome
    worse: bool
    is_golden: bool = True
    accepted_by: str = ""
    why: str = ""


@dataclass(frozen=True)
class Report:
    """What the tests of a candidate found. `right`: the share of questions that get what they should."""

    questions: int = 0
    right_live: int = 0
    right_candidate: int = 0
    differences: tuple[Difference, ...] = ()

    @property
    def refusals(self) -> tuple[Difference, ...]:
        """Why the candidate can't go live: what is worse and was not accepted."""
        return tuple(one for one in self.differences if one.worse and not one.accepted_by)


@dataclass(frozen=True)
class RehearsedTurn:
    """What staff said to a model when they tried it, and what a visitor would have read.

    said: what they typed, or the title of the button that they pressed.
    """

    said: str
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True)
class Change:
    """One thing that a publish changes, for people to read. kind: new, examples, text, gone."""

    kind: str
    topic: str
    title: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishRun:
    """One attempt to make staff's decisions live.

    kind: `staff`, or `update` when the program's own files changed. inputs: digest of those files.
    hold: it stops when tested, instead of going live. owner: the process that works on it.
    seconds: how long each step took. release_id: the candidate. baseline: the release it is compared with.
    """

    inputs: str
    decisions: Decisions
    changes: tuple[Change, ...] = ()
    kind: str = "staff"
    hold: bool = False
    wanted_by: str = "system"
    wanted_by_id: str = ""
    state: RunState = RunState.QUEUED
    owner: str = ""
    lease_until: datetime | None = None
    attempts: int = 0
    progress: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    report: Report | None = None
    release_id: str | None = None
    baseline: str | None = None
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=utc_now)
    finished_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


@dataclass(frozen=True)
class Release:
    """A trained model that is or was live, or a candidate (number 0).

    kind: `repository` (nothing of staff's in it), `staff` or `update`. inputs: digest of the program's files.
    digest, size: of its archive. is_kept: the archive is still there.
    """

    inputs: str
    digest: str
    size: int
    decisions: Decisions = field(default_factory=Decisions)
    changes: tuple[Change, ...] = ()
    kind: str = "staff"
    made_by: str = "system"
    number: int = 0
    is_kept: bool = True
    live_since: datetime | None = None
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=utc_now)

    @property
    def etag(self) -> str:
        """As HTTP writes it."""
        return f'"{self.digest}"'


class LostLease(Exception):
    """A run belongs to another process by now, or has ended: this one has to stop."""


class PublishError(ReviewError):
    """Something can't be published; the message says why in words for staff."""
