"""The tables, and how each kind of record becomes a row and back.

Times are stored in UTC and come back aware. Ids are made by the caller, so that a write can be repeated.
`person_key` is pseudonymous; `sender_id` is kept only to reach the person again.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.model import (
    BookingHandoff,
    CallbackRequest,
    Event,
    OutgoingReply,
    Person,
    UnansweredQuestion,
)
from bot.store.plain import from_plain, storable_id, to_plain
from bot.store.turn import Turn

T = TypeVar("T")


class UtcTime(sa.types.TypeDecorator):
    """A time: aware in Python, UTC in the database, whatever the database makes of time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a time zone can't be stored.")
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)


def _person() -> list[sa.Column[Any]]:
    return [
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("sender_id", sa.Text, nullable=False),
        sa.Column("person_key", sa.String(32), nullable=False, index=True),
    ]


unanswered_questions = sa.Table(
    "unanswered_questions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_person(),
    sa.Column("text", sa.Text, nullable=False),  # scrubbed
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("candidates", sa.JSON, nullable=False),
    sa.Column("model_release", sa.Text, nullable=False),
    sa.Column("language", sa.String(32), nullable=False),
    sa.Column("context", sa.JSON, nullable=False),
    sa.Column("asked_at", UtcTime, nullable=False, index=True),
    sa.Index(None, "reason", "asked_at"),
)

callback_requests = sa.Table(
    "callback_requests",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_person(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False, index=True),
    sa.Column("when", sa.Text, nullable=False),
    sa.Column("reference", sa.String(32), nullable=False, index=True),
    sa.Column("consent_at", UtcTime, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("requested_at", UtcTime, nullable=False, index=True),
)

booking_handoffs = sa.Table(
    "booking_handoffs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_person(),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("given_at", UtcTime, nullable=False, index=True),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_person(),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("happened_at", UtcTime, nullable=False, index=True),
    sa.Index(None, "name", "happened_at"),
)

outgoing_replies = sa.Table(
    "outgoing_replies",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_person(),
    sa.Column("reply", sa.JSON, nullable=False),
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, server_default="queued"),  # queued, sent, failed
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sent_at", UtcTime, nullable=True),
    sa.Index(None, "state", "channel", "created_at"),
)

# Who must not come back from a spool. The digest is enough to know a later write of the same conversation.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("person_key", sa.String(32), nullable=False, index=True),
    sa.Column("sender_digest", sa.String(64), nullable=False, index=True),
    sa.Column("erased_at", UtcTime, nullable=False),
)

# Rasa's conversations, one row a turn, only ever appended (bot/store/tracker_store.py).
conversation_turns = sa.Table(
    "conversation_turns",
    metadata,
    sa.Column("sender_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),  # nanoseconds, rising
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=True),  # a checkpoint: the tracker's state before this turn
    sa.Column("turn_id", sa.String(24), nullable=True),  # of the message that it answers
    sa.Index(
        "uq_conversation_turns_turn_id",
        "turn_id",
        unique=True,
        sqlite_where=sa.text("turn_id IS NOT NULL"),
        postgresql_where=sa.text("turn_id IS NOT NULL"),
    ),
    sqlite_with_rowid=False,  # a conversation's turns lie side by side
)

TABLES: dict[type, sa.Table] = {
    UnansweredQuestion: unanswered_questions,
    CallbackRequest: callback_requests,
    BookingHandoff: booking_handoffs,
    Event: events,
    OutgoingReply: outgoing_replies,
    Turn: conversation_turns,
}

_OF_PERSON = {"channel": "channel", "sender_id": "sender_id", "person_key": "key"}


def to_row(item: Any) -> dict[str, Any]:
    """The record as a row of its table, cleaned."""
    row: dict[str, Any] = {}
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if isinstance(value, Person):
            row["channel"] = storable_id(value.channel)
            row["sender_id"] = storable_id(value.sender_id)
            row["person_key"] = value.key
        elif isinstance(value, (datetime, bytes)):
            row[field.name] = value
        else:
            row[field.name] = to_plain(value)
    return row


def from_row(kind: type[T], row: Any) -> T:
    """The record that was stored as this row."""
    values = dict(row)
    if "person_key" in values:
        values["person"] = Person(**{field: values.pop(column) for column, field in _OF_PERSON.items()})
    return from_plain(kind, values)


def time_column(kind: type) -> sa.Column[Any]:
    """When it happened: the column by which records of this kind are read and expire."""
    names = {
        UnansweredQuestion: "asked_at",
        CallbackRequest: "requested_at",
        BookingHandoff: "given_at",
        Event: "happened_at",
        OutgoingReply: "created_at",
    }
    return TABLES[kind].c[names[kind]]
