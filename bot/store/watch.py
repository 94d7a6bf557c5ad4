"""What is looked up for Prometheus in the database and the spool."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.metrics import Looked
from bot.store.messenger_tables import messenger_inbox, messenger_outbox
from bot.store.spool import Spool
from bot.store.store import Store, StoreUnavailable
from bot.store.tables import outgoing_replies


def looked_up(store: Store, spool: Spool) -> list[Looked]:
    """The gauges of a process that has this store and spool."""

    def is_up() -> dict[str, float]:
        try:
            store.ping()
        except StoreUnavailable:
            return {"": 0.0}
        return {"": 1.0}

    return [
        Looked("milia_database_up", "Whether the database takes writes.", is_up),
        Looked(
            "milia_messenger_inbox",
            "Messages from Messenger that wait for an answer.",
            lambda: {"": _count(store, messenger_inbox, "new").get("new", 0.0)},
        ),
        Looked(
            "milia_messenger_outbox",
            "Messages to Messenger.",
            lambda: _count(store, messenger_outbox, "queued", "sending", "unsure", "failed"),
            "state",
        ),
        Looked(
            "milia_staff_replies",
            "Replies that staff wrote.",
            lambda: _count(store, outgoing_replies, "queued", "failed"),
            "state",
        ),
        Looked(
            "milia_spool_bytes",
            "What waits on this machine's disk for the database.",
            lambda: {"waiting": _size(spool, False), "rejected": _size(spool, True)},
            "what",
        ),
    ]


def _count(store: Store, table: sa.Table, *states: str) -> dict[str, float]:
    query = sa.select(table.c.state, sa.func.count()).where(table.c.state.in_(states)).group_by(table.c.state)
    found: dict[str, float] = dict.fromkeys(states, 0.0)
    found.update(store._read(lambda c: {state: float(number) for state, number in c.execute(query)}))
    return found


def _size(spool: Spool, rejected: bool) -> float:
    files = list(Path(spool.directory).glob("*.jsonl"))
    return float(sum(path.stat().st_size for path in files if ("rejected" in path.name) == rejected))
