"""Events from Messenger: stored once, handed out in order, one conversation to one server at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import new_id, utc_now
from bot.store.messenger_lanes import LaneLost, Lanes, lock_threads
from bot.store.messenger_model import (
    Echo,
    EventKind,
    InboxEvent,
    OutboxMessage,
    OutboxState,
    Thread,
    Waiting,
)
from bot.store.messenger_outbox import enqueue, outbox_lanes
from bot.store.messenger_tables import messenger_inbox as inbox
from bot.store.messenger_tables import messenger_outbox as outbox
from bot.store.messenger_tables import messenger_threads as threads
from bot.store.plain import clean
from bot.store.store import Store

LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_LATE = timedelta(seconds=2)
_ON_THE_WAY = [OutboxState.QUEUED.value, OutboxState.SENDING.value, OutboxState.UNSURE.value]


class Inbox:
    """The inbox in this store.

    key_of: the person key of a conversation.
    settle: how long an event waits for those that happened before it and may come after it.
    settle_late: the same for an event that Meta delivers late, as after an outage, when order is lost.
    pause: how long the bot stays away from a thread in which a person of the clinic has written.
    """

    def __init__(
        self,
        store: Store,
        key_of: Callable[[str], str],
        settle: timedelta = timedelta(seconds=0.25),
        settle_late: timedelta = timedelta(seconds=2),
        pause: timedelta = timedelta(hours=12),
    ) -> None:
        self._store = store
        self._key_of = key_of
        self._lanes = Lanes("inbox")
        self._outbox_lanes = outbox_lanes()
        self.settle = settle
        self.settle_late = settle_late
        self.pause = pause

    # ------------------------------------------------------------ storing

    def receive(
        self, events: Sequence[InboxEvent], echoes: Sequence[Echo] = (), now: datetime | None = None
    ) -> None:
        """Stores what came in one request, all of it or nothing; what is stored already stays as it is."""
        now = now or utc_now()
        start = time.time_ns()
        rows = [self._row(event, start + place, now) for place, event in enumerate(events)]
        latest: dict[str, datetime] = {}
        for event in events:
            at = min(event.at, now)
            latest[event.conversation] = max(at, latest.get(event.conversation, at))
        by_people = {echo.conversation: echo.at + self.pause for echo in echoes if not echo.sent_id}
        of_ours = sorted(echo.sent_id for echo in echoes if echo.sent_id)
        writers: dict[str, InboxEvent | Echo] = {event.conversation: event for event in events}
        writers.update((echo.conversation, echo) for echo in echoes if not echo.sent_id)

        def work(connection: Connection) -> None:
            if writers:
                new = [self._thread_row(writers[conversation]) for conversation in sorted(writers)]
                connection.execute(self._store._insert(threads), new)
            lock_threads(connection, [*writers, *self._not_sent(connection, of_ours)])
            if rows:
                connection.execute(self._store._insert(inbox), rows)
            for conversation, at in latest.items():
                earlier = sa.or_(threads.c.last_at.is_(None), threads.c.last_at < at)
                here = sa.update(threads).where(threads.c.sender_id == conversation, earlier)
                connection.execute(here.values(last_at=at))
            for conversation, until in by_people.items():
                earlier = sa.or_(threads.c.paused_until.is_(None), threads.c.paused_until < until)
                here = sa.update(threads).where(threads.c.sender_id == conversation, earlier)
                connection.execute(here.values(paused_until=until, human=True))
            if of_ours:
                self._arrived(connection, of_ours, now)

        if writers or (of_ours and self._store._read(lambda c: self._not_sent(c, of_ours))):
            self._store._write(work)

    def _not_sent(self, connection: Connection, ids: list[str]) -> list[str]:
        """The conversations of those of these messages that don't count as sent yet."""
        query = sa.select(outbox.c.sender_id).where(outbox.c.id.in_(ids), outbox.c.state.in_(_ON_THE_WAY))
        return list(connection.execute(query).scalars())

    def _arrived(self, connection: Connection, ids: list[str], now: datetime) -> None:
        """Marks our messages sent whose echo has come; nobody has to wait for it any longer."""
        waiting = self._not_sent(connection, ids)
        if waiting:
            change = sa.update(outbox).where(outbox.c.id.in_(ids), outbox.c.state.in_(_ON_THE_WAY))
            sent = {"state": OutboxState.SENT.value, "sent_at": now, "message": {}, "problem": ""}
            connection.execute(change.values(**sent))
            self._outbox_lanes.wake(connection, waiting, now)

    def _row(self, event: InboxEvent, position: int, now: datetime) -> dict[str, Any]:
        late = now - event.at > _LATE
        return {
            "id": new_id(),
            "sender_id": event.conversation,
            "person_key": self._key_of(event.conversation),
            "page": event.page,
            "psid": event.psid,
            "key": clean(event.key),
            "kind": event.kind.value,
            "text": clean(event.text),
            "payload": clean(event.payload),
            "at": event.at,
            "position": position,
            "state": "new",
            "due_at": now + (self.settle_late if late else self.settle),
            "received_at": now,
        }

    def _thread_row(self, item: InboxEvent | Echo) -> dict[str, Any]:
        return {
            "sender_id": item.conversation,
            "person_key": self._key_of(item.conversation),
            "page": item.page,
            "psid": item.psid,
            "inbox_until": LONG_AGO,
            "outbox_until": LONG_AGO,
        }

    # ------------------------------------------------------------ handing out

    def claim(self, owner: str, limit: int, now: datetime | None = None) -> list[Waiting]:
        """The next event of each of some conversations, which are this owner's from now on."""
        now = now or utc_now()
        due = sa.select(inbox.c.sender_id).where(inbox.c.state == "new", inbox.c.due_at <= now)
        if not self._store._read(lambda c: c.execute(self._lanes.free(due, now, 1)).first()):
            return []  # looking costs no write

        def work(connection: Connection) -> list[Waiting]:
            claimed = self._lanes.claim(connection, due, owner, now, limit)
            begun = [self._next(connection, conversation, owner, now) for conversation in claimed]
            return [waiting for waiting in begun if waiting is not None]

        return self._store._write(work)

    def take(self, conversation: str, owner: str) -> bool:
        """Keeps everybody else from answering in a conversation; says whether nobody was."""
        return self._store._write(lambda c: self._lanes.take(c, conversation, owner, utc_now()))

    def finish(
        self,
        done: Waiting,
        owner: str,
        messages: Sequence[OutboxMessage] = (),
        introduced: bool = True,
    ) -> Waiting | None:
        """Marks an event done and queues its replies, in one transaction.

        Gives the conversation's next event; None when there is none, and the lane has been given up.

        introduced: whether the person knows by now that an automated assistant is writing.

        Raises:
            LaneLost: another server has taken over; the replies are not queued.
        """
        conversation = done.event.conversation

        def work(connection: Connection) -> Waiting | None:
            now = utc_now()
            self._lanes.hold(connection, conversation, owner, now)
            this = sa.update(inbox).where(inbox.c.id == done.id, inbox.c.state == "new")
            if connection.execute(this.values(state="done", text="", payload="")).rowcount != 1:
                raise LaneLost(conversation)
            if introduced and (done.thread.human or not done.thread.welcomed):
                here = sa.update(threads).where(threads.c.sender_id == conversation)
                # A person of the clinic may have written again meanwhile.
                here = here.where(threads.c.paused_until.is_not_distinct_from(done.thread.paused_until))
                connection.execute(here.values(welcomed=True, human=False))
            enqueue(connection, self._store, messages, self._key_of(conversation), now)
            return self._next(connection, conversation, owner, now)

        return self._store._write(work)

    def release(self, conversation: str, owner: str) -> None:
        """Gives a lane up, so that another server need not wait for the lease to end."""
        self._store._write(lambda c: self._lanes.release(c, conversation, owner, utc_now()))

    def renew(self, owner: str, answered: Sequence[str], sent_to: Sequence[str] = ()) -> None:
        """Keeps this owner's lanes: of conversations that are being answered, and that are being sent to."""

        def work(connection: Connection) -> None:
            for lanes, worked_on in ((self._lanes, answered), (self._outbox_lanes, sent_to)):
                if worked_on:
                    lanes.renew(connection, worked_on, owner, utc_now())

        self._store._write(work)

    def leave(self, owner: str) -> None:
        """Gives up all lanes of an owner that stops, of both kinds."""

        def work(connection: Connection) -> None:
            for lanes in (self._lanes, self._outbox_lanes):
                lanes.release_all(connection, owner, utc_now())

        self._store._write(work)

    def _next(self, connection: Connection, conversation: str, owner: str, now: datetime) -> Waiting | None:
        new = sa.select(inbox).where(inbox.c.sender_id == conversation, inbox.c.state == "new")
        due = connection.execute(new.where(inbox.c.due_at <= now).limit(1)).first()
        if due is None:
            self._lanes.release(connection, conversation, owner, now)
            return None
        # What happened before it may have come after it.
        row = connection.execute(new.order_by(inbox.c.at, inbox.c.position).limit(1)).mappings().one()
        begun = sa.update(inbox).where(inbox.c.id == row["id"])
        connection.execute(begun.values(attempts=inbox.c.attempts + 1))
        thread = connection.execute(sa.select(threads).where(threads.c.sender_id == conversation)).mappings()
        return Waiting(row["id"], _event(row), to_thread(thread.one()), row["attempts"] + 1)

    # ------------------------------------------------------------ looking and tidying

    def thread(self, conversation: str) -> Thread | None:
        """What is known of a conversation; None when the person never wrote to the Page."""
        query = sa.select(threads).where(threads.c.sender_id == conversation)
        row = self._store._read(lambda c: c.execute(query).mappings().first())
        return to_thread(row) if row else None

    def conversations_of(self, psid: str) -> list[str]:
        """The conversations of a person, one a Page."""
        query = sa.select(threads.c.sender_id).where(threads.c.psid == psid)
        return self._store._read(lambda c: list(c.execute(query).scalars()))

    def waiting(self) -> int:
        """How many events wait for their turn."""
        query = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state == "new")
        return self._store._read(lambda c: int(c.execute(query).scalar() or 0))

    def purge(self, before: datetime) -> int:
        """Forgets events and messages of before that are done with; says how many."""
        closed = [OutboxState.SENT.value, OutboxState.FAILED.value]

        def work(connection: Connection) -> int:
            old = sa.delete(inbox).where(inbox.c.state == "done", inbox.c.received_at < before)
            gone = sa.delete(outbox).where(outbox.c.state.in_(closed), outbox.c.created_at < before)
            return int(connection.execute(old).rowcount + connection.execute(gone).rowcount)

        return self._store._write(work)


def to_thread(row: Any) -> Thread:
    """The thread that is stored as this row."""
    names = ("page", "psid", "last_at", "paused_until", "welcomed", "human")
    return Thread(row["sender_id"], **{name: row[name] for name in names})


def _event(row: Any) -> InboxEvent:
    names = ("page", "psid", "key", "at", "text", "payload")
    return InboxEvent(kind=EventKind(row["kind"]), **{name: row[name] for name in names})
