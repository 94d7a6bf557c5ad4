"""The history of what staff did: appended to, read, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.review_model import HistoryEntry
from bot.store.plain import to_plain
from bot.store.review_tables import review_history
from bot.store.store import Store


class HistoryStore(Store):
    """What staff did, in order."""

    def remember(self, entry: HistoryEntry) -> None:
        """Appends a line that belongs to no other change."""
        self._write(lambda connection: append(connection, entry))

    def history(
        self, subject_id: str | None = None, action: str | None = None, limit: int = 100, skip: int = 0
    ) -> list[HistoryEntry]:
        """The latest lines (about one thing, of one action), newest first."""
        query = sa.select(review_history)
        if subject_id is not None:
            query = query.where(review_history.c.subject_id == subject_id)
        if action is not None:
            query = query.where(review_history.c.action == action)
        query = query.order_by(review_history.c.at.desc(), review_history.c.id).limit(limit).offset(skip)
        return self._read(lambda connection: entries(connection.execute(query).mappings()))

    def history_entry(self, entry_id: str) -> HistoryEntry | None:
        """One line."""
        query = sa.select(review_history).where(review_history.c.id == entry_id)
        return self._read(lambda c: next(iter(entries(c.execute(query).mappings())), None))

    def undone(self, ids: Iterable[str]) -> set[str]:
        """Which of these entries have been taken back."""
        query = sa.select(review_history.c.undoes).where(review_history.c.undoes.in_(list(ids)))
        return self._read(lambda connection: set(connection.execute(query).scalars()))


def append(connection: Connection, entry: HistoryEntry) -> None:
    """Adds a line in the transaction of the change that it tells of."""
    row = {name: getattr(entry, name) for name in HistoryEntry.__dataclass_fields__}
    connection.execute(sa.insert(review_history), {**row, "data": to_plain(entry.data)})


def last_of(connection: Connection, subject_id: str) -> HistoryEntry | None:
    """What was done to this thing last, and by whom."""
    query = sa.select(review_history).where(review_history.c.subject_id == subject_id)
    found = connection.execute(query.order_by(review_history.c.at.desc()).limit(1)).mappings()
    return next(iter(entries(found)), None)


def entries(rows: Iterable[Mapping[str, Any]]) -> list[HistoryEntry]:
    return [HistoryEntry(**row) for row in rows]
