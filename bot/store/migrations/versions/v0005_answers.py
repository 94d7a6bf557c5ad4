"""Answers that staff write, with every revision; when and by whom a group was decided."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True)
TOPIC = sa.String(64)


def _column(name: str, kind: Any, nullable: bool = False, **given: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, **given)


def upgrade() -> None:
    op.create_table(
        "answers",
        _column("topic", TOPIC),
        _column("latest", sa.Integer),
        _column("live", sa.Integer, nullable=True),
        _column("due", sa.Boolean),
        sa.PrimaryKeyConstraint("topic", name="pk_answers"),
    )
    op.create_table(
        "answer_revisions",
        _column("topic", TOPIC),
        _column("revision", sa.Integer),
        *(_column(name, sa.Text) for name in ("title", "text")),
        *(_column(name, sa.JSON) for name in ("next_steps", "examples")),
        *(_column(name, sa.Boolean) for name in ("is_answered", "health", "facts_published")),
        _column("owner", sa.Text),
        _column("review_by", sa.Date, nullable=True),
        _column("state", sa.String(16)),
        _column("written_by", sa.Text),
        _column("written_by_id", sa.String(32)),
        _column("written_at", TIME),
        _column("approved_by", sa.Text),
        _column("approved_at", TIME, nullable=True),
        _column("group_id", sa.String(32)),
        sa.PrimaryKeyConstraint("topic", "revision", name="pk_answer_revisions"),
    )
    edition = op.create_table(
        "answers_edition",
        _column("id", sa.Integer, autoincrement=False),
        _column("number", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_answers_edition"),
    )
    op.bulk_insert(edition, [{"id": 1, "number": 1}])
    op.add_column("question_groups", _column("decided_by", sa.Text, server_default=""))
    op.add_column("question_groups", _column("decided_at", TIME, nullable=True))
    op.execute("UPDATE question_groups SET decided_at = changed_at WHERE state NOT IN ('new', 'in_review')")


def downgrade() -> None:
    for table in ("answers_edition", "answer_revisions", "answers"):
        op.drop_table(table)
    with op.batch_alter_table("question_groups") as groups:
        groups.drop_column("decided_by")
        groups.drop_column("decided_at")
