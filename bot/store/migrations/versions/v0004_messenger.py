"""Messenger: events that came in, messages that go out, threads, deletion requests."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)


def _create(table: str, key: str, columns: list[sa.Column[Any]], indexes: list[list[str]]) -> None:
    op.create_table(table, *columns, sa.PrimaryKeyConstraint(key, name=f"pk_{table}"))
    for names in indexes:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)


def _text(name: str, **given: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, **given)


def _short(name: str, length: int = 32, **given: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False, **given)


def _whose() -> list[sa.Column[Any]]:
    return [_text("sender_id"), _short("person_key"), _text("page"), _text("psid")]


def upgrade() -> None:
    _create(
        "messenger_inbox",
        "id",
        [
            _short("id"),
            *_whose(),
            _text("key"),
            _short("kind", 16),
            _text("text"),
            _text("payload"),
            sa.Column("at", TIME, nullable=False),
            sa.Column("position", sa.BigInteger, nullable=False),
            _short("state", 16),
            sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
            sa.Column("due_at", TIME, nullable=False),
            sa.Column("received_at", TIME, nullable=False),
        ],
        [["person_key"], ["state", "due_at"], ["sender_id", "state", "at"], ["received_at"]],
    )
    op.create_index("uq_messenger_inbox_page_key", "messenger_inbox", ["page", "key"], unique=True)
    _create(
        "messenger_outbox",
        "id",
        [
            _short("id"),
            *_whose(),
            sa.Column("position", sa.BigInteger, nullable=False),
            sa.Column("message", sa.JSON, nullable=False),
            _short("reply_id", server_default=""),
            _short("tag", server_default=""),
            _short("state", 16),
            sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
            _text("problem", server_default=""),
            sa.Column("created_at", TIME, nullable=False),
            sa.Column("sent_at", TIME, nullable=True),
        ],
        [["person_key"], ["reply_id"], ["created_at"], ["state", "sender_id"], ["sender_id", "position"]],
    )
    _create(
        "messenger_threads",
        "sender_id",
        [
            *_whose(),
            sa.Column("last_at", TIME, nullable=True),
            sa.Column("paused_until", TIME, nullable=True),
            sa.Column("welcomed", sa.Boolean, nullable=False, server_default=sa.false()),
            sa.Column("human", sa.Boolean, nullable=False, server_default=sa.false()),
            _short("inbox_owner", server_default=""),
            sa.Column("inbox_until", TIME, nullable=False),
            _short("outbox_owner", server_default=""),
            sa.Column("outbox_until", TIME, nullable=False),
        ],
        [["person_key"], ["psid"], ["inbox_owner"], ["outbox_owner"]],
    )
    _create(
        "messenger_deletions",
        "code",
        [
            _short("code"),
            _text("user_id"),
            _short("state", 16),
            sa.Column("requested_at", TIME, nullable=False),
            sa.Column("finished_at", TIME, nullable=True),
        ],
        [["state"]],
    )


def downgrade() -> None:
    for table in ("messenger_deletions", "messenger_threads", "messenger_outbox", "messenger_inbox"):
        op.drop_table(table)
