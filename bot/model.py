"""The words of the domain: frozen dataclasses and enums that every layer shares.

Standard library only, so that any module may import it at no cost.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any


def new_id() -> str:
    """A random id, 32 hex digits. Made by the caller, so that a retried write can't store twice."""
    return secrets.token_hex(16)


def utc_now() -> datetime:
    """The time now, aware, in UTC. Every time in this project is."""
    return datetime.now(timezone.utc)


# ---------------------------------------------------------------- replies


@dataclass(frozen=True)
class Button:
    """A next step that a visitor may choose.

    payload: what comes back when it is chosen, as written in domain.yml (`/faq/pain`). Channels
        send it signed (bot/payloads.py), so that only the bot's own buttons are honoured.
    """

    title: str
    payload: str


@dataclass(frozen=True)
class Link:
    """A place to go: target starts with http:, https: or tel:."""

    title: str
    target: str


@dataclass(frozen=True)
class Reply:
    """One reply to a visitor, the same for all channels; each channel renders it in its own way.

    next_steps: at most three ("did you mean" offers may have four: three topics and "none of these").
    code: a discount code to copy.
    id: names this reply, so that a thumbs up or down can say which one it means.
    author: "bot", or "staff" when a person of the clinic wrote it.
    """

    text: str
    next_steps: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    code: str | None = None
    id: str = field(default_factory=new_id)
    author: str = "bot"


# ---------------------------------------------------------------- what is recorded


class Reason(str, enum.Enum):
    """Why a question lands in the review queue."""

    FALLBACK = "fallback"
    OUT_OF_SCOPE = "out_of_scope"
    NOT_PUBLISHED = "not_published"
    THUMBS_DOWN = "thumbs_down"
    NONE_OF_THESE = "none_of_these"
    UNSUPPORTED = "unsupported"
    RED_FLAG = "red_flag"


class HandoffKind(str, enum.Enum):
    """What a visitor was given."""

    BOOKING_LINK = "booking_link"
    PHONE = "phone"
    DISCOUNT_CODE = "discount_code"
    HUMAN = "human"


@dataclass(frozen=True)
class Person:
    """Who wrote, without saying who: the channel, the channel's conversation id, and a pseudonymous key.

    key: HMAC-SHA256 of channel and sender_id with the server's secret, 32 hex digits (`bot.settings`).
    """

    channel: str
    sender_id: str
    key: str


@dataclass(frozen=True)
class Candidate:
    """A topic that was considered, with its confidence (0 to 1)."""

    intent: str
    confidence: float


@dataclass(frozen=True)
class UnansweredQuestion:
    """A question for staff to review. `text` has been scrubbed (bot/scrub.py) by whoever makes this."""

    person: Person
    text: str
    reason: Reason
    intent: str = ""
    candidates: tuple[Candidate, ...] = ()
    model_release: str = ""
    language: str = ""
    context: tuple[tuple[str, str], ...] = ()  # (who, scrubbed text), oldest first: the turns before it
    id: str = field(default_factory=new_id)
    asked_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class CallbackRequest:
    """A person asked to be called. Keeps raw details for the retention period; only staff read them.

    phone: E.164. when: in the person's own words. consent_at: when they agreed to be called about this.
    reference: what the person was told, for example "CB-7F3K".
    """

    person: Person
    name: str
    phone: str
    when: str
    reference: str
    consent_at: datetime
    topic: str = ""
    id: str = field(default_factory=new_id)
    requested_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class BookingHandoff:
    """A link, number or code that was given to a person, for the outcome charts."""

    person: Person
    kind: HandoffKind
    value: str
    id: str = field(default_factory=new_id)
    given_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class Event:
    """Something that happened in a conversation, without its text: what the outcome charts count.

    name: message, answered, dont_know, asked_back, thumbs_up, thumbs_down, link_clicked, ...
    """

    person: Person
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    happened_at: datetime = field(default_factory=utc_now)


CALLBACK_WITHDRAWN = "callback_withdrawn"
"""The name of the event that takes a call-back request back. Its id is the request's."""


@dataclass(frozen=True)
class OutgoingReply:
    """A message from staff (or from the bot outside of a turn) to a person, on any channel."""

    person: Person
    reply: Reply
    written_by: str
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class ErasureReceipt:
    """What was erased: rows by table, for the person's or the regulator's file."""

    person_key: str
    rows: Mapping[str, int]
    erased_at: datetime = field(default_factory=utc_now)
