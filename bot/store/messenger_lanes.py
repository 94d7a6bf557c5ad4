"""Who may work on which conversation: leases, so that several servers share the work and a crash loses none.

On PostgreSQL servers that claim at the same time skip each other's rows; SQLite has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.messenger_tables import messenger_threads as threads

LEASE = timedelta(seconds=10)
"""After which a lane is taken from a server that doesn't renew it."""


class LaneLost(Exception):
    """Another server has taken the lane over; what was done in it must not be stored."""


def lock_threads(connection: Connection, conversations: Iterable[str]) -> None:
    """Keeps others from changing these threads: before anything else, so that no two wait for each other."""
    these = sa.select(threads.c.sender_id).where(threads.c.sender_id.in_(list(conversations)))
    connection.execute(these.order_by(threads.c.sender_id).with_for_update())


class Lanes:
    """The lanes of one kind, "inbox" or "outbox"."""

    def __init__(self, kind: str) -> None:
        self._owner = threads.c[f"{kind}_owner"]
        self._until = threads.c[f"{kind}_until"]

    def free(self, with_work: Any, now: datetime, limit: int) -> Any:
        """A query for conversations that have work (a query too) and that nobody works on."""
        query = sa.select(threads.c.sender_id)
        query = query.where(self._until <= now, threads.c.sender_id.in_(with_work))
        return query.order_by(self._until).limit(limit)

    def claim(
        self, connection: Connection, with_work: Any, owner: str, now: datetime, limit: int
    ) -> list[str]:
        """Takes free lanes that have work."""
        query = self.free(with_work, now, limit).with_for_update(skip_locked=True)
        claimed = list(connection.execute(query).scalars())
        if claimed:
            mine = sa.update(threads).where(threads.c.sender_id.in_(claimed))
            connection.execute(mine.values({self._owner: owner, self._until: now + LEASE}))
        return claimed

    def take(self, connection: Connection, conversation: str, owner: str, now: datetime) -> bool:
        """Takes one lane, whether it has work or not; says whether it was free."""
        this = sa.update(threads).where(threads.c.sender_id == conversation, self._until <= now)
        taken = connection.execute(this.values({self._owner: owner, self._until: now + LEASE}))
        return bool(taken.rowcount == 1)

    def renew(self, connection: Connection, worked_on: Sequence[str], owner: str, now: datetime) -> None:
        """Keeps those of this owner's lanes that it works on for another lease.

        It may hold others without knowing, claimed when the database's answer got lost: these are to end.
        """
        held = sa.select(threads.c.sender_id).where(
            threads.c.sender_id.in_(worked_on), self._owner == owner, self._until > now
        )
        # One that is being changed at this moment has its turn the next time.
        free = connection.execute(held.with_for_update(skip_locked=True)).scalars().all()
        mine = sa.update(threads).where(threads.c.sender_id.in_(free))
        connection.execute(mine.values({self._until: now + LEASE}))

    def hold(self, connection: Connection, conversation: str, owner: str, now: datetime) -> None:
        """Makes sure that the lane is still this owner's.

        Raises:
            LaneLost: it isn't; the transaction has to be rolled back.
        """
        mine = sa.update(threads).where(threads.c.sender_id == conversation, self._owner == owner)
        if connection.execute(mine.values({self._until: now + LEASE})).rowcount != 1:
            raise LaneLost(conversation)

    def release(self, connection: Connection, conversation: str, owner: str, until: datetime) -> None:
        """Gives the lane up; nobody takes it before `until`."""
        mine = sa.update(threads).where(threads.c.sender_id == conversation, self._owner == owner)
        connection.execute(mine.values({self._owner: "", self._until: until}))

    def release_all(self, connection: Connection, owner: str, now: datetime) -> None:
        """Gives up whatever this owner still has."""
        mine = sa.update(threads).where(self._owner == owner)
        connection.execute(mine.values({self._owner: "", self._until: now}))

    def wake(self, connection: Connection, conversations: list[str], now: datetime) -> None:
        """Lets lanes that wait without an owner go on at once."""
        waiting = sa.update(threads).where(threads.c.sender_id.in_(conversations), self._owner == "")
        connection.execute(waiting.values({self._until: now}))
