"""The whole story of a message with which something is wrong: what servers logged, what is stored, what failed then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from benchmarks.soak_figures import Found, clock
from bot.store.messenger_tables import messenger_inbox, messenger_outbox
from bot.store.tables import conversation_turns
from tests.cluster import Cluster

SECONDS_AROUND = 40.0
MOST_ERRORS = 20


@dataclass
class Happened:
    """A fault. ended: when it was mended; 0 as long as it isn't."""

    what: str
    began: float
    ended: float = 0.0

    def __str__(self) -> str:
        return f"{clock(self.began)} to {clock(self.ended) if self.ended else '...'} {self.what}"


def story(found: Found, servers: Cluster, faults: Sequence[Happened]) -> str:
    """Everything that is known of it, on several lines."""
    around = [
        str(fault)
        for fault in faults
        if fault.began < found.at + SECONDS_AROUND
        and (fault.ended or fault.began) > found.at - SECONDS_AROUND
    ]
    lines = [str(found), f"  asked at {clock(found.at)}; seen: {found.seen}"]
    lines += [f"  stored: {row}" for row in _stored(found, servers)]
    lines += [f"  {line}" for line in sorted(_logged(found.turn, servers))]
    return "\n".join([*lines, *(f"  fault: {fault}" for fault in around)])


def errors(servers: Cluster) -> list[str]:
    """What servers logged that a person would have to look at, each kind once, with its number."""
    kinds: dict[str, int] = {}
    for line in servers.logged().splitlines():
        if " ERROR " in line or line.startswith("Traceback"):
            kind = line.partition(" ERROR ")[2].partition(" [")[0] or line
            kinds[kind] = kinds.get(kind, 0) + 1
    return [f"{number} times: {kind[:200]}" for kind, number in list(kinds.items())[:MOST_ERRORS]]


def _logged(turn: str, servers: Cluster) -> Iterator[str]:
    """The lines of every server about a turn, beginning with their time."""
    for number, server in enumerate(servers.servers):
        with server.log.open(errors="replace") as log:
            for line in log:
                if turn in line:
                    time, _, rest = line.rstrip().partition(" ERROR " if " ERROR " in line else " INFO ")
                    yield f"{time} server {number}: {rest}"


def _stored(found: Found, servers: Cluster) -> list[str]:
    """Its rows, without what was said."""
    turns, inbox, outbox = conversation_turns.c, messenger_inbox.c, messenger_outbox.c
    queries = {
        "turn": sa.select(turns.position).where(turns.turn_id == found.turn),
        "inbox": sa.select(inbox.state, inbox.attempts, inbox.received_at, inbox.due_at).where(
            inbox.key == found.wrong.id
        ),
        "outbox": sa.select(
            outbox.id, outbox.state, outbox.attempts, outbox.problem, outbox.created_at, outbox.sent_at
        ).where(outbox.id.startswith(found.turn)),
    }

    def read(connection: Any) -> list[str]:
        return [
            f"{name} " + ", ".join(f"{column} {_shown(value)}" for column, value in row.items())
            for name, query in queries.items()
            for row in connection.execute(query).mappings()
        ]

    return servers.store._read(read)


def _shown(value: Any) -> str:
    if isinstance(value, int) and value > 10**15:  # the position of a turn: when it was stored
        return clock(value / 1e9)
    return clock(value.timestamp()) if isinstance(value, datetime) else str(value)
