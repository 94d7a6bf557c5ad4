"""The tables of publishing: releases with their archives, in pieces, and the runs that make them."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import UtcTime, metadata

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),  # 0: never was live
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("inputs", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("decisions", sa.JSON, nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("is_kept", sa.Boolean, nullable=False),
    sa.Column("answers", sa.JSON, nullable=False),  # what it does with the gate's questions, remembered
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("live_since", UtcTime, nullable=True),
    sa.Index(None, "inputs", "live_since"),
)

# In the database, because every server reaches it; in pieces, because no statement may take long.
release_pieces = sa.Table(
    "release_pieces",
    metadata,
    sa.Column("release_id", sa.String(32), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

publish_runs = sa.Table(
    "publish_runs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("inputs", sa.String(64), nullable=False),
    sa.Column("decisions", sa.JSON, nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("hold", sa.Boolean, nullable=False),
    sa.Column("wanted_by", sa.Text, nullable=False),
    sa.Column("wanted_by_id", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("active", sa.SmallInteger, nullable=True),  # 1 or nothing: the index lets only one be active
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("lease_until", UtcTime, nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("progress", sa.Text, nullable=False),
    sa.Column("seconds", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("release_id", sa.String(32), nullable=True),
    sa.Column("baseline", sa.String(32), nullable=True),
    sa.Column("created_at", UtcTime, nullable=False, index=True),
    sa.Column("finished_at", UtcTime, nullable=True),
    sa.Index("uq_publish_runs_active", "active", unique=True),
)
