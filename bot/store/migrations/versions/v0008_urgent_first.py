"""Red flags stand first in the queue, and it still opens at once."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_BEFORE, _AFTER = (["state", "rank"], ["rank"]), (["state", "urgent", "rank"], ["urgent", "rank"])


def upgrade() -> None:
    _replace(_BEFORE, _AFTER)


def downgrade() -> None:
    _replace(_AFTER, _BEFORE)


def _replace(old: tuple[list[str], ...], new: tuple[list[str], ...]) -> None:
    for names in old:
        op.drop_index(_name(names), "question_groups")
    for names in new:
        op.create_index(_name(names), "question_groups", names)


def _name(columns: list[str]) -> str:
    return f"ix_question_groups_{'_'.join(columns)}"
