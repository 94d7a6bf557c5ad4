"""Requests to delete somebody's data, and what became of them."""

from __future__ import annotations

import sqlalchemy as sa

from bot.model import utc_now
from bot.store.messenger_model import Deletion, DeletionState
from bot.store.messenger_tables import messenger_deletions as deletions
from bot.store.store import Store


class Deletions:
    """The requests in this store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, deletion: Deletion) -> None:
        """Stores a request."""
        row = {
            "code": deletion.code,
            "user_id": deletion.user_id,
            "state": deletion.state.value,
            "requested_at": deletion.requested_at,
        }
        self._store._write(lambda c: c.execute(sa.insert(deletions), row))

    def get(self, code: str) -> Deletion | None:
        """The request with this code."""
        found = self._select(deletions.c.code == code)
        return found[0] if found else None

    def waiting(self) -> list[Deletion]:
        """The requests that have to be worked off."""
        return self._select(deletions.c.state == DeletionState.RECEIVED.value)

    def finish(self, code: str, state: DeletionState) -> None:
        """Closes a request; whose it was is forgotten."""
        this = sa.update(deletions).where(deletions.c.code == code)
        closed = this.values(state=state.value, user_id="", finished_at=utc_now())
        self._store._write(lambda c: c.execute(closed))

    def _select(self, which: object) -> list[Deletion]:
        query = sa.select(deletions).where(which).order_by(deletions.c.requested_at)
        rows = self._store._read(lambda c: c.execute(query).mappings().all())
        return [
            Deletion(row["code"], row["user_id"], DeletionState(row["state"]), row["requested_at"])
            for row in rows
        ]
