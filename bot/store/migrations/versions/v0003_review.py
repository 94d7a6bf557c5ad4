"""The staff app: groups of questions, decisions with their history, accounts, call-back states, notices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)
ID = sa.String(32)


def _column(name: str, kind: Any, nullable: bool = False, **given: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, **given)


def _create(table: str, key: sa.Column[Any], columns: list[sa.Column[Any]], indexes: list[list[str]]) -> None:
    op.create_table(table, key, *columns, sa.PrimaryKeyConstraint(key.name, name=f"pk_{table}"))
    for names in indexes:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)


def upgrade() -> None:
    _create(
        "question_groups",
        _column("id", ID),
        [
            _column("state", sa.String(16)),
            _column("topic", sa.Text, server_default=""),
            _column("assignee", ID, server_default=""),
            _column("needs_answer", sa.Boolean, server_default=sa.false()),
            _column("version", sa.Integer, server_default="0"),
            _column("duplicate_of", ID, nullable=True),
            _column("people_at_decision", sa.Integer, server_default="0"),
            _column("people", sa.Integer, server_default="0"),
            _column("questions", sa.Integer, server_default="0"),
            _column("urgent", sa.Boolean, server_default=sa.false()),
            _column("first_asked_at", TIME),
            _column("last_asked_at", TIME),
            _column("rank", sa.Float, server_default="0"),
            _column("total", sa.LargeBinary),
            _column("changed_at", TIME),
        ],
        [["duplicate_of"], ["changed_at"], ["state", "rank"], ["rank"]],
    )
    _create(
        "question_places",
        _column("question_id", ID),
        [
            _column("person_key", ID),
            _column("group_id", ID),
            _column("anchor_id", ID),
            _column("vector", sa.LargeBinary),
            _column("reason", sa.String(32)),
            _column("channel", sa.Text),
            _column("asked_at", TIME),
        ],
        [
            ["person_key"],
            ["anchor_id"],
            ["group_id", "person_key"],
            ["group_id", "reason", "channel"],
            ["group_id", "asked_at"],
        ],
    )
    _create(
        "group_comments",
        _column("id", ID),
        [_column("group_id", ID), _column("author", sa.Text), _column("text", sa.Text), _column("at", TIME)],
        [["group_id"]],
    )
    _create(
        "review_history",
        _column("id", ID),
        [
            _column("at", TIME),
            _column("who", sa.Text),
            _column("who_id", ID),
            _column("action", sa.String(32)),
            _column("subject", sa.String(16)),
            _column("subject_id", sa.String(64)),
            _column("data", sa.JSON),
            _column("undoes", ID, nullable=True),
        ],
        [["at"], ["undoes"], ["subject_id", "at"]],
    )
    _create(
        "staff_accounts",
        _column("id", ID),
        [
            _column("name", sa.Text),
            _column("name_key", sa.Text),
            _column("role", sa.String(16)),
            _column("password_hash", sa.Text),
            _column("must_change", sa.Boolean),
            _column("active", sa.Boolean),
            _column("created_at", TIME),
            _column("last_sign_in_at", TIME, nullable=True),
        ],
        [],
    )
    op.create_index("ix_staff_accounts_name_key", "staff_accounts", ["name_key"], unique=True)
    _create(
        "staff_sessions",
        _column("id", sa.String(64)),
        [_column("account_id", ID), _column("seen_at", TIME)],
        [["account_id"]],
    )
    _create(
        "callback_states",
        _column("callback_id", ID),
        [
            _column("person_key", ID),
            _column("state", sa.String(16)),
            _column("taken_by", sa.Text),
            _column("attempts", sa.Integer),
            _column("version", sa.Integer),
            _column("changed_at", TIME),
        ],
        [["person_key"]],
    )
    _create(
        "notices",
        _column("id", sa.String(64)),
        [
            _column("kind", sa.String(32)),
            _column("created_at", TIME),
            _column("state", sa.String(16)),
            _column("attempts", sa.Integer),
            _column("next_try_at", TIME),
        ],
        [["state", "next_try_at"]],
    )
    _create("clinic_overrides", _column("name", sa.String(64)), [_column("value", sa.Text)], [])
    _only_append("review_history")


def _only_append(table: str) -> None:
    """The database itself refuses to change or delete a line of this table."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is only appended to'); END"
            )
    else:
        op.execute(
            f"CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is only appended to'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )


def downgrade() -> None:
    for table in (
        "clinic_overrides",
        "notices",
        "callback_states",
        "staff_sessions",
        "staff_accounts",
        "review_history",
        "group_comments",
        "question_places",
        "question_groups",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION IF EXISTS review_history_stays()")
