"""Everything is moved from SQLite to PostgreSQL, and nothing that is there is touched."""

from __future__ import annotations

import dataclasses
import random
import string
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.model import Event, OutgoingReply, Person, Reply
from bot.store.moving import SET_BY_MIGRATIONS, MoveRefused, all_tables, move
from bot.store.store import Store
from bot.store.turn import Turn
from tests.conftest import ROOT, environment
from tests.store.conftest import new_postgres_database

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def value(column: sa.Column[Any], number: int, dice: random.Random) -> Any:
    """Something that the column can hold, with what is hard to move among it."""
    kind = column.type
    if column.nullable and number % 3 == 0 and not column.primary_key:
        return None
    if isinstance(kind, sa.String):
        odd = dice.choice(["", "é", "漢字", "a'b\"c", "\t\n", "😀", "Z", "_", "-", "%s", "\\N"])
        text = odd + "".join(dice.choices(string.printable[:62], k=8)) + str(number)
        return text[-(kind.length or 99) :]
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, sa.JSON):
        return dice.choice([[], {}, {"a": [1, 2.5, None, True, "é\u2028😀"]}, [["x", "y"]]])
    if isinstance(kind, sa.BigInteger):
        return 2**62 + number
    if isinstance(kind, sa.Integer):
        return number
    if isinstance(kind, sa.Float):
        return dice.random()
    if isinstance(kind, sa.LargeBinary):
        return dice.randbytes(100) + b"\0\\x"
    if isinstance(kind, sa.Date):
        return START.date() + timedelta(days=number)
    return START + timedelta(microseconds=number * 999_999_937)


def fill(url: str, rows: int) -> dict[str, int]:
    """Every table with so many rows."""
    store, dice = Store(url), random.Random(1)
    store.migrate()
    counts = {}
    with store._engine.begin() as connection:
        for table in all_tables():
            if table.name in SET_BY_MIGRATIONS:
                connection.execute(sa.update(table).values(number=77))
                counts[table.name] = 1
                continue
            made = [{c.name: value(c, n, dice) for c in table.columns} for n in range(rows)]
            if table.name == "publish_runs":
                made = [{**row, "active": None} for row in made]
            connection.execute(sa.insert(table), made)
            counts[table.name] = rows
    store.close()
    return counts


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'old' / 'milia.db'}"


@pytest.fixture
def target(postgres: Any) -> str:
    return new_postgres_database(postgres)


def quiet(_: str) -> None:
    """Nobody reads along."""


def test_every_row_of_every_table_is_moved(sqlite: str, target: str) -> None:
    counts = fill(sqlite, 600)
    said: list[str] = []
    assert move(sqlite, target, said.append) == counts
    assert len(said) == len(counts) > 20
    assert move(sqlite, target, quiet) == counts  # again is only compared


def test_what_is_read_afterwards_is_what_was_written(sqlite: str, target: str, person: Person) -> None:
    old, new = Store(sqlite), Store(target)
    old.migrate()
    happened = Event(person, "message", {"n": 1})
    reply = OutgoingReply(person, Reply("Hello – you"), "sarah")
    turn = Turn(person.sender_id, 2**62, b"\0data", b"state")
    old.record_all([happened, reply, turn])
    move(sqlite, target, quiet)
    assert new.events() == [happened]
    assert new.pending_replies(person.channel) == [reply]
    assert new.turns(person.sender_id) == [turn]
    old.close()
    new.close()


def test_a_move_that_was_interrupted_goes_on(sqlite: str, target: str) -> None:
    counts = fill(sqlite, 20)
    move(sqlite, target, quiet)
    store = Store(target)
    with store._engine.begin() as connection:
        for table in all_tables():
            if table.name != "review_history":  # which lets nobody delete
                key = next(iter(table.primary_key.columns))
                some = sa.select(key).limit(7).scalar_subquery()
                connection.execute(sa.delete(table).where(key.in_(some)))
    store.close()
    assert move(sqlite, target, quiet) == counts


@pytest.mark.parametrize("other", ["another row", "a row that the source doesn't have"])
def test_a_target_with_other_data_is_refused_and_kept(
    other: str, sqlite: str, target: str, person: Person
) -> None:
    old, new = Store(sqlite), Store(target)
    for store in (old, new):
        store.migrate()
    event = Event(person, "message", {"n": 1})
    old.record_event(event)
    changed = dataclasses.replace(
        event, data={"n": 2}, **({} if other == "another row" else {"id": "f" * 32})
    )
    new.record_event(changed)
    with pytest.raises(MoveRefused, match=rf"events holds {other}"):
        move(sqlite, target, quiet)
    assert new.events() == [changed]
    old.close()
    new.close()


def test_only_postgresql_is_a_target(sqlite: str, tmp_path: Path) -> None:
    with pytest.raises(MoveRefused, match="MILIA_DATABASE_URL"):
        move(sqlite, "", quiet)


def test_the_command(tmp_path: Path, target: str) -> None:
    def run(**settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", "migrate-data"],
            cwd=ROOT,
            env=environment(data_dir=tmp_path, **settings),
            capture_output=True,
            text=True,
        )

    nothing = run(database_url=target)
    assert nothing.returncode == 1 and "--source" in nothing.stderr
    counts = fill(f"sqlite:///{tmp_path / 'milia.db'}", 3)
    done = run(database_url=target)
    assert done.returncode == 0, done.stderr
    assert f"Moved: {sum(counts.values())} rows in {len(counts)} tables" in done.stderr
    assert "MILIA_SECRET_KEY" in done.stderr
