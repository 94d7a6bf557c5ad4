"""What the tests of the REST channel share: a visitor, and a look into the database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from benchmarks.judge import Judge, whole_text
from tests.conftest import System

JUDGE = Judge.from_file()
PHONE = "1300 455 792"
PATIENCE = 40.0  # seconds; records wait at most half a minute for a database that is back

Message = dict[str, Any]
TIMES = {
    "unanswered_questions": "asked_at",
    "callback_requests": "requested_at",
    "booking_handoffs": "given_at",
    "conversation_turns": "position",
    "events": "happened_at",
}


class Visitor:
    """Somebody who writes, under a name that nobody else has."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.sender = f"v-{uuid4().hex}"
        self.last: list[Message] = []

    def says(self, text: str) -> str:
        """What they read in return."""
        self.last = self.system.say(text, self.sender)
        assert self.last and all(message["text"].strip() for message in self.last)
        return whole_text(self.last)

    @property
    def buttons(self) -> dict[str, str]:
        """The next steps of the last reply: title to payload."""
        return {b["title"]: b["payload"] for message in self.last for b in message.get("buttons", ())}

    def rows(self, table: str) -> list[Message]:
        """What is stored of them, oldest first."""
        return rows(self.system, table, f"rest-{self.sender}")

    def stored(self, table: str, number: int = 1) -> list[Message]:
        """What is stored of them, once there are so many rows."""
        return eventually(lambda: found if len(found := self.rows(table)) >= number else None)


def rows(system: System, table: str, sender_id: str) -> list[Message]:
    connection = sqlite3.connect(system.data_dir / "milia.db", timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        query = f"SELECT * FROM {table} WHERE sender_id = ? ORDER BY {TIMES[table]}"
        return [dict(row) for row in connection.execute(query, (sender_id,))]
    finally:
        connection.close()


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` finds at last; another process makes it, which nothing here can be told of."""
    end = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return found


def answers(read: str, topic: str) -> bool:
    return JUDGE.meets(read, topic)


def admits(read: str) -> bool:
    """Whether it is the reply that says that it doesn't know."""
    return JUDGE.meets(read, "out_of_scope") and "keratin" not in read
