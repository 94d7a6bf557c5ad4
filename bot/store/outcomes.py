"""What the outcome charts are computed from: who did what when, on which channel, without texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.history import HistoryStore
from bot.store.tables import booking_handoffs, callback_requests, events


@dataclass(frozen=True)
class Happening:
    """Something that counts: an event, a hand-off (`handoff:<kind>`) or a call-back request (`callback`)."""

    person_key: str
    channel: str
    at: datetime
    name: str
    data: Mapping[str, Any]


class OutcomeStore(HistoryStore):
    """Reads what happened in a time."""

    def happenings(self, start: datetime, end: datetime) -> list[Happening]:
        """Everything from `start` to before `end`, by person and time."""
        nothing = sa.null()
        sources = (
            (events, events.c.happened_at, events.c.name, events.c.data),
            (booking_handoffs, booking_handoffs.c.given_at, "handoff:" + booking_handoffs.c.kind, nothing),
            (callback_requests, callback_requests.c.requested_at, sa.literal("callback"), nothing),
        )

        def work(connection: Connection) -> list[Happening]:
            found: list[Happening] = []
            for table, time, name, data in sources:
                query = sa.select(table.c.person_key, table.c.channel, time, name, data)
                query = query.where(time >= start, time < end)
                found += [
                    Happening(key, channel, at, what, more or {})
                    for key, channel, at, what, more in connection.execute(query)
                ]
            return found

        return sorted(self._read(work), key=lambda one: (one.person_key, one.at))
