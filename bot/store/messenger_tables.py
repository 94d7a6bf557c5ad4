"""The tables of the Messenger channel."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.store.tables import UtcTime, metadata


def _whose() -> list[sa.Column[Any]]:
    return [
        sa.Column("sender_id", sa.Text, nullable=False),  # the conversation
        sa.Column("person_key", sa.String(32), nullable=False, index=True),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("psid", sa.Text, nullable=False),
    ]


messenger_inbox = sa.Table(
    "messenger_inbox",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_whose(),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # emptied when it is done: the conversation holds it then
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # in which order they came, for equal times
    sa.Column("state", sa.String(16), nullable=False),  # new, done
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Index("uq_messenger_inbox_page_key", "page", "key", unique=True),
    sa.Index(None, "state", "due_at"),
    sa.Index(None, "sender_id", "state", "at"),
    sa.Index(None, "received_at"),
)

messenger_outbox = sa.Table(
    "messenger_outbox",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_whose(),
    sa.Column("position", sa.BigInteger, nullable=False),  # the order in which they are sent
    sa.Column("message", sa.JSON, nullable=False),  # emptied when it is sent
    sa.Column("reply_id", sa.String(32), nullable=False, server_default="", index=True),
    sa.Column("tag", sa.String(32), nullable=False, server_default=""),
    sa.Column("state", sa.String(16), nullable=False),  # OutboxState
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", UtcTime, nullable=False, index=True),
    sa.Column("sent_at", UtcTime, nullable=True),
    sa.Index(None, "state", "sender_id"),
    sa.Index(None, "sender_id", "position"),
)

# A lane is what one server may work on: the inbox or outbox of one person, until its lease ends.
messenger_threads = sa.Table(
    "messenger_threads",
    metadata,
    sa.Column("sender_id", sa.Text, primary_key=True),
    sa.Column("person_key", sa.String(32), nullable=False, index=True),
    sa.Column("page", sa.Text, nullable=False),
    sa.Column("psid", sa.Text, nullable=False, index=True),
    sa.Column("last_at", UtcTime, nullable=True),
    sa.Column("paused_until", UtcTime, nullable=True),
    sa.Column("welcomed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("human", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("inbox_owner", sa.String(32), nullable=False, server_default="", index=True),
    sa.Column("inbox_until", UtcTime, nullable=False),
    sa.Column("outbox_owner", sa.String(32), nullable=False, server_default="", index=True),
    sa.Column("outbox_until", UtcTime, nullable=False),  # without an owner: not before
)

# Holds nothing about the person once it is done.
messenger_deletions = sa.Table(
    "messenger_deletions",
    metadata,
    sa.Column("code", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),  # DeletionState
    sa.Column("requested_at", UtcTime, nullable=False),
    sa.Column("finished_at", UtcTime, nullable=True),
)

PERSONAL = (messenger_inbox, messenger_outbox, messenger_threads)
"""What erasing a person empties."""
