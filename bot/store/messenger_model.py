"""What the Messenger channel keeps: events that came in, messages that go out, threads, deletion requests."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model import new_id, utc_now

CHANNEL = "facebook"
"""The channel's name wherever a person is meant (`bot.model.Person.channel`)."""


def conversation_of(page: str, psid: str) -> str:
    """The conversation id of a person (by their page-scoped id) with a Page."""
    return f"{CHANNEL}-{page}-{psid}"


class EventKind(str, enum.Enum):
    """What a person did."""

    TEXT = "text"
    CHOICE = "choice"  # a button, quick reply, menu item or ice breaker
    ATTACHMENT = "attachment"


@dataclass(frozen=True)
class InboxEvent:
    """Something that a person sent to a Page.

    key: names it among the Page's events, so that it is stored once however often Meta delivers it.
    at: when it happened, by Meta's clock.
    text: what was typed, the title of what was chosen, or the kinds of the attachments.
    payload: of what was chosen.
    """

    page: str
    psid: str
    key: str
    kind: EventKind
    at: datetime
    text: str = ""
    payload: str = ""

    @property
    def conversation(self) -> str:
        return conversation_of(self.page, self.psid)


@dataclass(frozen=True)
class Echo:
    """A message that the Page has sent, whoever wrote it.

    sent_id: the id of our outbox message; empty when a person sent it.
    """

    page: str
    psid: str
    at: datetime
    sent_id: str = ""

    @property
    def conversation(self) -> str:
        return conversation_of(self.page, self.psid)


@dataclass(frozen=True)
class Thread:
    """What is known of a conversation with a person.

    last_at: when the person wrote last; None when they never did.
    paused_until: until when the bot leaves the thread to a person of the clinic.
    welcomed: whether the person has been told that they talk to an automated assistant.
    human: whether a person of the clinic has written since then.
    """

    conversation: str
    page: str
    psid: str
    last_at: datetime | None = None
    paused_until: datetime | None = None
    welcomed: bool = False
    human: bool = False

    def paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until


@dataclass(frozen=True)
class Waiting:
    """An event whose turn it is, held by one server.

    attempts: how often it has been begun, this time included.
    """

    id: str
    event: InboxEvent
    thread: Thread
    attempts: int

    @property
    def conversation(self) -> str:
        return self.event.conversation


class OutboxState(str, enum.Enum):
    """Where a message on its way out is."""

    QUEUED = "queued"
    SENDING = "sending"
    UNSURE = "unsure"  # the answer got lost: its echo will tell whether it arrived
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class OutboxMessage:
    """A message on its way to a person.

    message: as Graph takes it.
    reply_id: of the staff reply (`OutgoingReply`) that it is part of.
    tag: the message tag that it needs, outside of the 24-hour window.
    taken_at: when it was last handed out to be sent.
    """

    page: str
    psid: str
    message: Mapping[str, Any]
    reply_id: str = ""
    tag: str = ""
    id: str = field(default_factory=new_id)
    state: OutboxState = OutboxState.QUEUED
    attempts: int = 0
    problem: str = ""
    taken_at: datetime | None = None

    @property
    def conversation(self) -> str:
        return conversation_of(self.page, self.psid)


class DeletionState(str, enum.Enum):
    """How far a request to delete somebody's data is."""

    RECEIVED = "received"
    DONE = "done"
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Deletion:
    """A request to delete somebody's data.

    code: what the person is given to ask about it.
    user_id: Meta's id of the person; emptied when the request is done.
    """

    code: str
    user_id: str
    state: DeletionState = DeletionState.RECEIVED
    requested_at: datetime = field(default_factory=utc_now)
