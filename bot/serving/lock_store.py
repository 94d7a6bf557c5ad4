"""Rasa's lock store: one message of a conversation at a time, in order, without Rasa's pauses of a second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rasa.core.lock import TicketLock
from rasa.core.lock_store import LockStore

from bot.serving.lanes import Lanes
from bot.settings import load_settings


class LaneLockStore(LockStore):
    """The lock store for endpoints.yml: `type: bot.serving.lock_store.LaneLockStore`.

    Rasa's store for Redis reads and writes a lock in two steps, so that two servers can take the same ticket,
    and holds up the event loop meanwhile.
    """

    def __init__(self, endpoint_config: Any = None, lanes: Lanes | None = None) -> None:
        self._lanes = lanes or Lanes(load_settings().redis_url)

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = 0, wait_time_in_seconds: float = 0
    ) -> AsyncIterator[TicketLock]:
        """The conversation's turn; both times are of no use here."""
        async with self._lanes.turn(conversation_id):
            yield TicketLock(conversation_id)

    async def close(self) -> None:
        """Gives back what is held."""
        await self._lanes.close()
