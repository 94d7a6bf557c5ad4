"""Publishing: releases, their archives, and the runs that make them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True)


def _column(name: str, kind: Any, nullable: bool = False, **given: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, **given)


def upgrade() -> None:
    op.create_table(
        "releases",
        _column("id", sa.String(32)),
        _column("number", sa.Integer),
        _column("kind", sa.String(16)),
        _column("inputs", sa.String(64)),
        _column("digest", sa.String(64)),
        _column("size", sa.Integer),
        _column("decisions", sa.JSON),
        _column("changes", sa.JSON),
        _column("made_by", sa.Text),
        _column("is_kept", sa.Boolean),
        _column("answers", sa.JSON),
        _column("created_at", TIME),
        _column("live_since", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
    )
    op.create_index("ix_releases_inputs_live_since", "releases", ["inputs", "live_since"])
    op.create_table(
        "release_pieces",
        _column("release_id", sa.String(32)),
        _column("position", sa.Integer, autoincrement=False),
        _column("data", sa.LargeBinary),
        sa.PrimaryKeyConstraint("release_id", "position", name="pk_release_pieces"),
    )
    op.create_table(
        "publish_runs",
        _column("id", sa.String(32)),
        _column("kind", sa.String(16)),
        _column("inputs", sa.String(64)),
        _column("decisions", sa.JSON),
        _column("changes", sa.JSON),
        _column("hold", sa.Boolean),
        _column("wanted_by", sa.Text),
        _column("wanted_by_id", sa.String(32)),
        _column("state", sa.String(16)),
        _column("active", sa.SmallInteger, nullable=True),
        _column("owner", sa.String(64)),
        _column("lease_until", TIME, nullable=True),
        _column("attempts", sa.Integer),
        _column("progress", sa.Text),
        _column("seconds", sa.JSON),
        _column("reason", sa.Text),
        _column("report", sa.JSON, nullable=True),
        _column("release_id", sa.String(32), nullable=True),
        _column("baseline", sa.String(32), nullable=True),
        _column("created_at", TIME),
        _column("finished_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_publish_runs"),
    )
    op.create_index("ix_publish_runs_created_at", "publish_runs", ["created_at"])
    op.create_index("uq_publish_runs_active", "publish_runs", ["active"], unique=True)


def downgrade() -> None:
    for table in ("publish_runs", "release_pieces", "releases"):
        op.drop_table(table)
