"""What is recorded of conversations, and the replies that wait to be sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)


def _create(table: str, columns: list[sa.Column[Any]], indexes: list[list[str]]) -> None:
    """A table of things that a person did: all have an id and say who."""
    op.create_table(
        table,
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("sender_id", sa.Text, nullable=False),
        sa.Column("person_key", sa.String(32), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    for names in [["person_key"], *indexes]:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)


def upgrade() -> None:
    _create(
        "unanswered_questions",
        [
            sa.Column("text", sa.Text, nullable=False),
            sa.Column("reason", sa.String(32), nullable=False),
            sa.Column("intent", sa.Text, nullable=False),
            sa.Column("candidates", sa.JSON, nullable=False),
            sa.Column("model_release", sa.Text, nullable=False),
            sa.Column("language", sa.String(32), nullable=False),
            sa.Column("context", sa.JSON, nullable=False),
            sa.Column("asked_at", TIME, nullable=False),
        ],
        [["asked_at"], ["reason", "asked_at"]],
    )
    _create(
        "callback_requests",
        [
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("phone", sa.Text, nullable=False),
            sa.Column("when", sa.Text, nullable=False),
            sa.Column("reference", sa.String(32), nullable=False),
            sa.Column("consent_at", TIME, nullable=False),
            sa.Column("topic", sa.Text, nullable=False),
            sa.Column("requested_at", TIME, nullable=False),
        ],
        [["phone"], ["reference"], ["requested_at"]],
    )
    _create(
        "booking_handoffs",
        [
            sa.Column("kind", sa.String(32), nullable=False),
            sa.Column("value", sa.Text, nullable=False),
            sa.Column("given_at", TIME, nullable=False),
        ],
        [["given_at"]],
    )
    _create(
        "events",
        [
            sa.Column("name", sa.String(64), nullable=False),
            sa.Column("data", sa.JSON, nullable=False),
            sa.Column("happened_at", TIME, nullable=False),
        ],
        [["happened_at"], ["name", "happened_at"]],
    )
    _create(
        "outgoing_replies",
        [
            sa.Column("reply", sa.JSON, nullable=False),
            sa.Column("written_by", sa.Text, nullable=False),
            sa.Column("created_at", TIME, nullable=False),
            sa.Column("state", sa.String(16), nullable=False, server_default="queued"),
            sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
            sa.Column("sent_at", TIME, nullable=True),
        ],
        [["state", "channel", "created_at"]],
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("person_key", sa.String(32), nullable=False),
        sa.Column("sender_digest", sa.String(64), nullable=False),
        sa.Column("erased_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_person_key", "erasures", ["person_key"])
    op.create_index("ix_erasures_sender_digest", "erasures", ["sender_digest"])


def downgrade() -> None:
    for table in (
        "erasures",
        "outgoing_replies",
        "events",
        "booking_handoffs",
        "callback_requests",
        "unanswered_questions",
    ):
        op.drop_table(table)
