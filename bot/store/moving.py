"""Moves everything from a SQLite database to PostgreSQL, and compares every row of every table.

Nothing of the target is ever changed: what is missing is added, so that a move that was interrupted goes on
when it is asked for again, and a target that holds anything else is refused.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

import bot.store
from bot.store.engine import open_engine
from bot.store.migrate import PATIENCE, migrate
from bot.store.tables import metadata

Row = dict[str, Any]
Key = tuple[Any, ...]

SET_BY_MIGRATIONS = frozenset({"answers_edition"})
"""Tables that are not empty in a new database; what stands there is replaced."""

_ROWS = 500
_BYTES = 4_000_000
"""What is inserted at once, at most."""


class MoveRefused(Exception):
    """The move can't be made, or the databases are not the same after it. The message says why."""


@dataclass(frozen=True)
class Difference:
    """A row that is not the same in both databases; the one that is None does not have it."""

    source: Row | None
    target: Row | None


def move(source_url: str, target_url: str, say: Callable[[str], None]) -> dict[str, int]:
    """Moves all rows; how many each table holds.

    Nobody else can write to the source meanwhile: what servers record goes to their spool.

    Raises:
        MoveRefused: the target holds something else, or differs after the move.
    """
    if not target_url.startswith("postgresql"):
        raise MoveRefused("MILIA_DATABASE_URL has to name the PostgreSQL database to which everything goes.")
    migrate(source_url)
    migrate(target_url)
    source_engine = open_engine(source_url, PATIENCE, pooled=False)
    target_engine = open_engine(target_url, PATIENCE, pooled=False)
    try:
        with source_engine.begin() as source:
            tables = all_tables()
            for table in tables:
                _refuse_others_data(source, target_engine, table)
            counts = {}
            for table in tables:
                added = _copy(source, target_engine, table)
                counts[table.name] = _verify(source, target_engine, table)
                if counts[table.name]:
                    say(f"{table.name}: {counts[table.name]} rows, {added} of them copied now, all compared")
            return counts
    finally:
        source_engine.dispose()
        target_engine.dispose()


def all_tables() -> list[sa.Table]:
    """Every table of this project."""
    for module in pkgutil.iter_modules(bot.store.__path__):
        if module.name.endswith("tables"):
            importlib.import_module(f"bot.store.{module.name}")
    return list(metadata.sorted_tables)


def differences(source: Connection, target: Connection, table: sa.Table) -> Iterator[Difference | None]:
    """For every row, in order of the primary key: how the databases differ, or None when they don't."""
    ours, theirs = _rows(source, table), _rows(target, table)
    mine, other = next(ours, None), next(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and _key(table, mine) < _key(table, other)):
            yield Difference(mine, None)
            mine = next(ours, None)
        elif mine is None or _key(table, other) < _key(table, mine):
            yield Difference(None, other)
            other = next(theirs, None)
        else:
            yield None if mine == other else Difference(mine, other)
            mine, other = next(ours, None), next(theirs, None)


def _key(table: sa.Table, row: Row) -> Key:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _rows(connection: Connection, table: sa.Table) -> Iterator[Row]:
    """All rows, in the order in which Python compares their keys."""
    exact = {"sqlite": "BINARY", "postgresql": "C"}[connection.dialect.name]
    order = [
        sa.collate(column, exact) if isinstance(column.type, (sa.String, sa.Text)) else column
        for column in table.primary_key.columns
    ]
    streamed = connection.execution_options(stream_results=True, max_row_buffer=100)
    for row in streamed.execute(sa.select(table).order_by(*order)).mappings():
        yield dict(row)


def _refuse_others_data(source: Connection, target_engine: Engine, table: sa.Table) -> None:
    if table.name in SET_BY_MIGRATIONS:
        return
    with target_engine.connect() as target:
        for difference in differences(source, target, table):
            if difference is not None and difference.target is not None:
                what = "a row that the source doesn't have" if difference.source is None else "another row"
                raise MoveRefused(
                    f"The target's table {table.name} holds {what}: move to an empty database. Nothing was "
                    "changed."
                )


def _copy(source: Connection, target_engine: Engine, table: sa.Table) -> int:
    """Adds what is missing; says how many rows."""
    if table.name in SET_BY_MIGRATIONS:
        with target_engine.begin() as target:
            target.execute(sa.delete(table))
    added = 0
    with target_engine.connect() as reading, target_engine.connect() as writing:
        for batch in _batches(source, reading, table):
            with writing.begin():
                writing.execute(sa.insert(table), batch)
            added += len(batch)
    return added


def _batches(source: Connection, target: Connection, table: sa.Table) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for difference in differences(source, target, table):
        if difference is None or difference.source is None:
            continue
        batch.append(difference.source)
        size += sum(len(value) for value in difference.source.values() if isinstance(value, (str, bytes)))
        if len(batch) >= _ROWS or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _verify(source: Connection, target_engine: Engine, table: sa.Table) -> int:
    rows = 0
    with target_engine.connect() as target:
        for difference in differences(source, target, table):
            if difference is not None:
                raise MoveRefused(
                    f"After the move the table {table.name} is not the same: don't use the target."
                )
            rows += 1
    return rows
