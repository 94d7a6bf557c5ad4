"""The tables of the answers that staff write."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import UtcTime, metadata

# Where each answer stands: its latest revision, and the one that visitors get (none: that of domain.yml).
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("topic", sa.String(64), primary_key=True),
    sa.Column("latest", sa.Integer, nullable=False),
    sa.Column("live", sa.Integer, nullable=True),
    sa.Column("due", sa.Boolean, nullable=False),  # its review-by day has passed
)

# Only ever added to, but for a draft's approval.
answer_revisions = sa.Table(
    "answer_revisions",
    metadata,
    sa.Column("topic", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("next_steps", sa.JSON, nullable=False),
    sa.Column("examples", sa.JSON, nullable=False),
    sa.Column("is_answered", sa.Boolean, nullable=False),
    sa.Column("health", sa.Boolean, nullable=False),
    sa.Column("facts_published", sa.Boolean, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("review_by", sa.Date, nullable=True),
    sa.Column("state", sa.String(16), nullable=False),  # AnswerState
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("written_by_id", sa.String(32), nullable=False),
    sa.Column("written_at", UtcTime, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("approved_at", UtcTime, nullable=True),
    sa.Column("group_id", sa.String(32), nullable=False),  # the question that it was written for, if any
)

# One row. Its number rises with everything that changes what is answered, so that servers need to read
# the rest only then.
answers_edition = sa.Table(
    "answers_edition",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),
)
