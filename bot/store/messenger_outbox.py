"""Messages on their way to Messenger: sent in order, and never twice as far as anybody can know."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import OutgoingReply, utc_now
from bot.store.messenger_lanes import LaneLost, Lanes
from bot.store.messenger_model import OutboxMessage, OutboxState
from bot.store.messenger_tables import messenger_outbox as outbox
from bot.store.messenger_tables import messenger_threads as threads
from bot.store.plain import clean, to_plain
from bot.store.store import Store
from bot.store.tables import outgoing_replies

ECHO_WAIT = timedelta(seconds=20)
"""A server that hangs may hold an echo, which Meta brings to another one after 20 seconds. Its lanes are free
after 7 to 10: with this, nothing is sent again until the echo has had 7 more seconds to come."""

_OPEN = [OutboxState.QUEUED.value, OutboxState.SENDING.value, OutboxState.UNSURE.value]


def outbox_lanes() -> Lanes:
    """The lanes of outgoing messages."""
    return Lanes("outbox")


def enqueue(
    connection: Connection, store: Store, messages: Sequence[OutboxMessage], person_key: str, now: datetime
) -> None:
    """Puts messages to one person behind those that wait already, inside of a transaction."""
    if not messages:
        return
    conversation = messages[0].conversation
    query = sa.select(sa.func.max(outbox.c.position)).where(outbox.c.sender_id == conversation)
    position = max(time.time_ns(), (connection.execute(query).scalar() or 0) + 1)
    rows = [
        {
            "id": message.id,
            "sender_id": conversation,
            "person_key": person_key,
            "page": message.page,
            "psid": message.psid,
            "position": position + place,
            "message": to_plain(message.message),
            "reply_id": message.reply_id,
            "tag": message.tag,
            "state": message.state.value,
            "problem": clean(message.problem),
            "created_at": now,
        }
        for place, message in enumerate(messages)
    ]
    connection.execute(store._insert(outbox), rows)


class Outbox:
    """The outbox in this store.

    echo_wait: how long to wait for the echo of a message of which nobody knows whether it arrived.
    """

    def __init__(self, store: Store, echo_wait: timedelta = ECHO_WAIT) -> None:
        self._store = store
        self._lanes = outbox_lanes()
        self.echo_wait = echo_wait

    # ------------------------------------------------------------ sending

    def claim(self, owner: str, limit: int, now: datetime | None = None) -> list[OutboxMessage]:
        """The next message of each of some conversations, marked as being sent by this owner."""
        now = now or utc_now()
        waiting = sa.select(outbox.c.sender_id).where(outbox.c.state.in_(_OPEN))
        if not self._store._read(lambda c: c.execute(self._lanes.free(waiting, now, 1)).first()):
            return []  # looking costs no write

        def work(connection: Connection) -> list[OutboxMessage]:
            claimed = self._lanes.claim(connection, waiting, owner, now, limit)
            begun = [self._next(connection, conversation, owner, now) for conversation in claimed]
            return [message for message in begun if message is not None]

        return self._store._write(work)

    def check(self, message: OutboxMessage, owner: str) -> None:
        """Makes sure that a message which was handed out some time ago is still this owner's to send.

        Raises:
            LaneLost: it isn't; it may have been sent by another server.
        """
        same = sa.select(outbox.c.id).where(
            outbox.c.id == message.id,
            outbox.c.state == OutboxState.SENDING.value,
            outbox.c.attempts == message.attempts,
        )

        def work(connection: Connection) -> None:
            self._lanes.hold(connection, message.conversation, owner, utc_now())
            if connection.execute(same).first() is None:
                raise LaneLost(message.conversation)

        self._store._write(work)

    def sent(self, message: OutboxMessage, owner: str) -> OutboxMessage | None:
        """It has arrived. Gives the next message; None when there is none to send now."""
        values = {"state": OutboxState.SENT.value, "sent_at": utc_now(), "message": {}, "problem": ""}
        return self._step(message, owner, values)

    def failed(self, message: OutboxMessage, owner: str, problem: str) -> OutboxMessage | None:
        """It won't ever arrive. Gives the next message, as `sent`."""
        values = {"state": OutboxState.FAILED.value, "message": {}, "problem": problem}
        return self._step(message, owner, values)

    def retry(
        self, message: OutboxMessage, owner: str, wait: timedelta, problem: str
    ) -> OutboxMessage | None:
        """It has not arrived: it is sent again after a wait, and those behind it wait too.

        Should its echo say otherwise, the next message is given.
        """
        values = {"state": OutboxState.QUEUED.value, "problem": problem}
        return self._step(message, owner, values, wait)

    def unsure(self, message: OutboxMessage, owner: str, problem: str) -> OutboxMessage | None:
        """Nobody knows whether it has arrived: unless its echo comes in time, it is sent again.

        Should the echo have come already, the next message is given.
        """
        values = {"state": OutboxState.UNSURE.value, "problem": problem}
        return self._step(message, owner, values, self.echo_wait)

    def _step(
        self, message: OutboxMessage, owner: str, values: dict[str, Any], wait: timedelta | None = None
    ) -> OutboxMessage | None:
        conversation = message.conversation

        def work(connection: Connection) -> OutboxMessage | None:
            now = utc_now()
            self._lanes.hold(connection, conversation, owner, now)
            # Its echo may have come first, and says that it has arrived.
            this = sa.update(outbox).where(outbox.c.id == message.id, outbox.c.state.in_(_OPEN))
            changed = connection.execute(this.values(**values)).rowcount
            if changed and message.reply_id and values["state"] == OutboxState.FAILED.value:
                _fail_reply(connection, message.reply_id)
            if changed and wait is not None:
                self._lanes.release(connection, conversation, owner, now + wait)
                return None
            return self._next(connection, conversation, owner, now)

        return self._store._write(work)

    def _next(
        self, connection: Connection, conversation: str, owner: str, now: datetime
    ) -> OutboxMessage | None:
        query = sa.select(outbox).where(outbox.c.sender_id == conversation, outbox.c.state.in_(_OPEN))
        row = connection.execute(query.order_by(outbox.c.position, outbox.c.id).limit(1)).mappings().first()
        if row is None:
            self._lanes.release(connection, conversation, owner, now)
            return None
        this = sa.update(outbox).where(outbox.c.id == row["id"])
        if row["state"] == OutboxState.SENDING.value:  # by a server that died
            connection.execute(this.values(state=OutboxState.UNSURE.value, problem="interrupted"))
            self._lanes.release(connection, conversation, owner, now + self.echo_wait)
            return None
        connection.execute(this.values(state=OutboxState.SENDING.value, attempts=outbox.c.attempts + 1))
        return _message(row, OutboxState.SENDING, row["attempts"] + 1, now)

    # ------------------------------------------------------------ replies from staff

    def hand_over(self, reply: OutgoingReply, messages: Sequence[OutboxMessage]) -> None:
        """Moves a staff reply into the outbox; it is there once, however often this is called."""

        def work(connection: Connection) -> None:
            enqueue(connection, self._store, messages, reply.person.key, utc_now())
            state = "failed" if all(m.state is OutboxState.FAILED for m in messages) else "sent"
            queued = sa.update(outgoing_replies).where(
                outgoing_replies.c.id == reply.id, outgoing_replies.c.state == "queued"
            )
            handed = connection.execute(queued.values(state=state, sent_at=utc_now()))
            if handed.rowcount and state == "sent":
                here = sa.update(threads).where(threads.c.sender_id == messages[0].conversation)
                connection.execute(here.values(human=True))

        self._store._write(work)

    def delivery(self, reply_id: str) -> list[OutboxMessage]:
        """The messages that a staff reply became: whether they have arrived, and if not, why."""
        query = sa.select(outbox).where(outbox.c.reply_id == reply_id).order_by(outbox.c.position)
        rows = self._store._read(lambda c: c.execute(query).mappings().all())
        return [_message(row, OutboxState(row["state"]), row["attempts"]) for row in rows]

    def counts(self) -> dict[OutboxState, int]:
        """How many messages are in which state."""
        query = sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state)
        rows = self._store._read(lambda c: c.execute(query).all())
        return {OutboxState(state): number for state, number in rows}


def _fail_reply(connection: Connection, reply_id: str) -> None:
    change = sa.update(outgoing_replies).where(outgoing_replies.c.id == reply_id)
    connection.execute(change.values(state="failed", sent_at=None))


def _message(row: Any, state: OutboxState, attempts: int, taken_at: datetime | None = None) -> OutboxMessage:
    names = ("page", "psid", "message", "reply_id", "tag", "id", "problem")
    values = {name: row[name] for name in names}
    return OutboxMessage(state=state, attempts=attempts, taken_at=taken_at, **values)
