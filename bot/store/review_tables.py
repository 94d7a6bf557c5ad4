"""The tables of the staff app: groups, history, accounts, call-back states, notices, clinic details."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import UtcTime, metadata

question_groups = sa.Table(
    "question_groups",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("topic", sa.Text, nullable=False, server_default=""),
    sa.Column("assignee", sa.String(32), nullable=False, server_default=""),
    sa.Column("needs_answer", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("duplicate_of", sa.String(32), nullable=True, index=True),
    sa.Column("people_at_decision", sa.Integer, nullable=False, server_default="0"),
    # Who settled it, and when: the wordings that were in it then.
    sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
    sa.Column("decided_at", UtcTime, nullable=True),
    # Counted when a question comes in, so that the queue opens at once.
    sa.Column("people", sa.Integer, nullable=False, server_default="0"),
    sa.Column("questions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("first_asked_at", UtcTime, nullable=False),
    sa.Column("last_asked_at", UtcTime, nullable=False),
    sa.Column("rank", sa.Float, nullable=False, server_default="0"),
    sa.Column("total", sa.LargeBinary, nullable=False),  # the sum of its vectors, float32
    sa.Column("changed_at", UtcTime, nullable=False, index=True),
    sa.Index(None, "state", "urgent", "rank"),
    sa.Index(None, "urgent", "rank"),
)

# Where a question stands: the group that shows it, and the anchor (perhaps merged since) that drew it.
question_places = sa.Table(
    "question_places",
    metadata,
    sa.Column("question_id", sa.String(32), primary_key=True),
    sa.Column("person_key", sa.String(32), nullable=False, index=True),
    sa.Column("group_id", sa.String(32), nullable=False),
    sa.Column("anchor_id", sa.String(32), nullable=False, index=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float16
    # As the question has them: groups are counted and filtered without reading the questions.
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("asked_at", UtcTime, nullable=False),
    sa.Index(None, "group_id", "person_key"),
    sa.Index(None, "group_id", "reason", "channel"),
    sa.Index(None, "group_id", "asked_at"),
)

group_comments = sa.Table(
    "group_comments",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("group_id", sa.String(32), nullable=False, index=True),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

# Rows are never changed or deleted; the database itself refuses (migration).
review_history = sa.Table(
    "review_history",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("at", UtcTime, nullable=False, index=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("who_id", sa.String(32), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(16), nullable=False),
    sa.Column("subject_id", sa.String(64), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("undoes", sa.String(32), nullable=True, index=True),
    sa.Index(None, "subject_id", "at"),
)

staff_accounts = sa.Table(
    "staff_accounts",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, index=True, unique=True),  # the name without case
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("last_sign_in_at", UtcTime, nullable=True),
)

staff_sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # a digest of the token in the cookie
    sa.Column("account_id", sa.String(32), nullable=False, index=True),
    sa.Column("seen_at", UtcTime, nullable=False),
)

callback_states = sa.Table(
    "callback_states",
    metadata,
    sa.Column("callback_id", sa.String(32), primary_key=True),
    sa.Column("person_key", sa.String(32), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("taken_by", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
)

# Emails that wait to be sent, or were. They say what kind and how many, never what a visitor wrote.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # of what it is about: the same thing is told once
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # queued, sent, given_up
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try_at", UtcTime, nullable=False),
    sa.Index(None, "state", "next_try_at"),
)

clinic_overrides = sa.Table(
    "clinic_overrides",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
