"""Rasa's conversations, one row a turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "conversation_turns",
        sa.Column("sender_id", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("sender_id", "position", name="pk_conversation_turns"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("conversation_turns")
