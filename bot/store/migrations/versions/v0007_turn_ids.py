"""A message stands in its conversation once, whichever servers have answered it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("conversation_turns", sa.Column("turn_id", sa.String(24), nullable=True))
    only = sa.text("turn_id IS NOT NULL")  # those of before needn't be looked at
    op.create_index(
        "uq_conversation_turns_turn_id",
        "conversation_turns",
        ["turn_id"],
        unique=True,
        sqlite_where=only,
        postgresql_where=only,
    )


def downgrade() -> None:
    op.drop_index("uq_conversation_turns_turn_id", "conversation_turns")
    op.drop_column("conversation_turns", "turn_id")
