"""The store: what is recorded, read, sent and erased, one transaction a method."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import cache, cached_property
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from bot.model import (
    BookingHandoff,
    CallbackRequest,
    ErasureReceipt,
    Event,
    OutgoingReply,
    Person,
    Reason,
    UnansweredQuestion,
    new_id,
    utc_now,
)
from bot.store import migrate
from bot.store.engine import PATIENCE, open_engine
from bot.store.messenger_tables import PERSONAL as OF_MESSENGER
from bot.store.plain import storable_id
from bot.store.tables import (
    TABLES,
    conversation_turns,
    erasures,
    from_row,
    outgoing_replies,
    time_column,
    to_row,
    unanswered_questions,
)
from bot.store.turn import Turn

T = TypeVar("T")
Item = UnansweredQuestion | CallbackRequest | BookingHandoff | Event | OutgoingReply | Turn

_UNAVAILABLE = (sa.exc.DatabaseError, sa.exc.InterfaceError, sa.exc.TimeoutError)
REFUSED = (
    sa.exc.IntegrityError, sa.exc.DataError, sqlite3.IntegrityError, sqlite3.DataError, ValueError,
)  # fmt: skip
"""What a call raises when the database, or its driver, will never take this row."""


class StoreUnavailable(Exception):
    """The database is locked, full, gone or not answering: the same call may succeed later."""


class Store:
    """The database at this URL, opened when first used. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._turn_to_write = threading.Lock()

    @cached_property
    def _engine(self) -> Engine:
        try:
            return open_engine(self.url)
        except OSError as error:  # the folder can't be made
            raise StoreUnavailable(type(error).__name__) from error

    @cached_property
    def _reader(self) -> Engine:
        return self._engine.execution_options(reads=True)

    @property
    def reads_at_once(self) -> bool:
        """Whether reading takes no longer than handing it to another thread would."""
        return self.url.startswith("sqlite")

    def migrate(self, revision: str = "head") -> None:
        """Creates the tables, or brings them up to date. For the start of a process."""
        try:
            migrate.migrate(self.url, revision)
        except _UNAVAILABLE as error:
            raise StoreUnavailable(_why(error)) from error

    def is_migrated(self) -> bool:
        """Whether the tables are those of this version, or of a later one that is being rolled out."""

        def look(connection: Connection) -> bool:
            if not sa.inspect(connection).has_table("alembic_version"):
                return False
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return str(found or "") >= migrate.newest()

        return self._read(look)

    def close(self) -> None:
        """Gives all connections back."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def ping(self) -> None:
        """Returns when the database takes writes."""
        self._write(lambda connection: connection.execute(sa.select(sa.literal(1))))

    # ------------------------------------------------------------ recording

    def record_question(self, question: UnansweredQuestion) -> None:
        self.record_all([question])

    def record_callback(self, request: CallbackRequest) -> None:
        self.record_all([request])

    def record_handoff(self, handoff: BookingHandoff) -> None:
        self.record_all([handoff])

    def record_event(self, event: Event) -> None:
        self.record_all([event])

    def record_all(self, items: Sequence[Item], late: bool = False) -> None:
        """Stores all of them or none; one that is stored already stays as it is.

        late: they come from a spool, so that a person may have been erased since they were written.
        """
        if not items:
            return
        rows: dict[type, list[dict[str, Any]]] = {}
        for item in items:
            rows.setdefault(type(item), []).append(to_row(item))

        if self._engine.dialect.name == "sqlite" and not late:
            return self._insert_plainly({TABLES[kind]: of_kind for kind, of_kind in rows.items()})

        def work(connection: Connection) -> None:
            wanted = _without_erased(connection, rows) if late else rows
            for kind, of_kind in wanted.items():
                if of_kind:
                    connection.execute(_insertion(TABLES[kind], tuple(of_kind[0])), of_kind)

        self._write(work)

    def _insert(self, table: sa.Table) -> Any:
        dialect: Any = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table).on_conflict_do_nothing()

    # ------------------------------------------------------------ outbox

    def enqueue_reply(self, reply: OutgoingReply) -> str:
        """Queues a message to a person, on any channel. Returns its id."""
        self.record_all([reply])
        return reply.id

    def pending_replies(
        self, channel: str, sender_id: str | None = None, limit: int = 100, since: datetime | None = None
    ) -> list[OutgoingReply]:
        """What waits to be sent on this channel (to this conversation, since then), oldest first."""
        table = outgoing_replies
        query = sa.select(table).where(table.c.state == "queued", table.c.channel == storable_id(channel))
        if sender_id is not None:
            query = query.where(table.c.sender_id == storable_id(sender_id))
        if since is not None:
            query = query.where(table.c.created_at >= since)
        return self._read_all(OutgoingReply, query.order_by(table.c.created_at, table.c.id).limit(limit))

    def replies(self, person_key: str, limit: int = 100) -> list[OutgoingReply]:
        """The latest messages to a person, whether they have been sent or still wait, newest first."""
        return self._latest(OutgoingReply, limit, person_key)

    def mark_reply_sent(self, reply_id: str) -> None:
        """Takes a reply out of the queue: it has reached the channel."""
        self._finish_reply(reply_id, state="sent", sent_at=utc_now())

    def mark_reply_failed(self, reply_id: str, final: bool = False) -> None:
        """Counts an attempt that failed; `final` gives up."""
        self._finish_reply(reply_id, **({"state": "failed"} if final else {}))

    def _finish_reply(self, reply_id: str, **values: Any) -> None:
        table = outgoing_replies
        change = sa.update(table).where(table.c.id == reply_id, table.c.state == "queued")
        self._write(lambda c: c.execute(change.values(attempts=table.c.attempts + 1, **values)))

    # ------------------------------------------------------------ reading

    def questions(
        self, limit: int = 100, reason: Reason | None = None, person_key: str | None = None
    ) -> list[UnansweredQuestion]:
        """The latest questions, newest first."""
        only = [] if reason is None else [unanswered_questions.c.reason == reason.value]
        return self._latest(UnansweredQuestion, limit, person_key, only)

    def callbacks(self, limit: int = 100, person_key: str | None = None) -> list[CallbackRequest]:
        """The latest call-back requests, newest first."""
        return self._latest(CallbackRequest, limit, person_key)

    def handoffs(self, limit: int = 100, person_key: str | None = None) -> list[BookingHandoff]:
        """What was given to people last, newest first."""
        return self._latest(BookingHandoff, limit, person_key)

    def events(self, limit: int = 100, person_key: str | None = None) -> list[Event]:
        """What happened last, newest first."""
        return self._latest(Event, limit, person_key)

    def _latest(self, kind: type[T], limit: int, person_key: str | None, only: Sequence[Any] = ()) -> list[T]:
        table = TABLES[kind]
        query = sa.select(table).where(*only).order_by(time_column(kind).desc(), table.c.id).limit(limit)
        if person_key is not None:
            query = query.where(table.c.person_key == person_key)
        return self._read_all(kind, query)

    def _read_all(self, kind: type[T], query: Any) -> list[T]:
        return self._read(lambda c: [from_row(kind, row) for row in c.execute(query).mappings()])

    # ------------------------------------------------------------ conversations

    def last_position(self, sender_id: str) -> int | None:
        """Where the conversation ends; None when there is none."""
        if self.reads_at_once:  # asked before every turn, so without what SQLAlchemy adds to it
            return self._read_row(
                "SELECT max(position) FROM conversation_turns WHERE sender_id = ?", sender_id
            )
        return self._read(lambda c: c.execute(_LAST_POSITION, {"sender": sender_id}).scalar())

    def last_turns(self, sender_id: str, limit: int) -> list[Turn]:
        """The latest turns of a conversation, oldest first."""
        if self.reads_at_once and self.last_position(sender_id) is None:
            return []  # most conversations that are asked for are new
        query = _TURNS.where(conversation_turns.c.sender_id == sender_id)
        query = query.order_by(conversation_turns.c.position.desc()).limit(limit)
        return self._read_all(Turn, query)[::-1]

    def turns(self, sender_id: str) -> list[Turn]:
        """The whole conversation, oldest first."""
        query = _TURNS.where(conversation_turns.c.sender_id == sender_id)
        return self._read_all(Turn, query.order_by(conversation_turns.c.position))

    def conversations(self) -> list[str]:
        """The ids of all conversations."""
        query = sa.select(conversation_turns.c.sender_id).distinct()
        return self._read(lambda c: list(c.execute(query).scalars()))

    def delete_conversation(self, sender_id: str) -> int:
        """Removes a conversation's turns; says how many."""
        gone = sa.delete(conversation_turns).where(conversation_turns.c.sender_id == sender_id)
        return self._write(lambda c: c.execute(gone).rowcount)

    # ------------------------------------------------------------ erasure

    def erase_person(self, person: Person, spool: Any = None) -> ErasureReceipt:
        """Removes everything that is held on a person: every table, the conversation, this machine's spool.

        What lies in the spool of another machine is dropped when it would be stored.

        spool: the `bot.store.spool.Spool` of this machine.
        """
        sender_id = storable_id(person.sender_id)
        receipt_time = utc_now()

        def work(connection: Connection) -> dict[str, int]:
            mark = {
                "id": new_id(),
                "person_key": person.key,
                "sender_digest": _digest(sender_id),
                "erased_at": receipt_time,
            }
            connection.execute(sa.insert(erasures), mark)
            counts = {}
            for table in self._personal_tables():
                has_key = "person_key" in table.c
                theirs = table.c.person_key == person.key if has_key else table.c.sender_id == sender_id
                counts[table.name] = connection.execute(sa.delete(table).where(theirs)).rowcount
            return counts

        rows = self._write(work)
        if spool is not None:
            rows["spool"] = spool.erase(person.key, sender_id)
        return ErasureReceipt(person_key=person.key, rows=rows, erased_at=receipt_time)

    def _personal_tables(self) -> Iterable[sa.Table]:
        """The tables that hold what belongs to a person; stores with more tables add theirs."""
        return (*TABLES.values(), *OF_MESSENGER)

    # ------------------------------------------------------------ transactions

    def _write(self, work: Callable[[Connection], T]) -> T:
        if self._engine.dialect.name != "sqlite":
            return self._run(self._engine, work)
        with self._my_turn_to_write():
            return self._run(self._engine, work)

    @contextlib.contextmanager
    def _my_turn_to_write(self) -> Iterator[None]:
        """SQLite has one writer; a queue of our own is fairer than its polling."""
        if not self._turn_to_write.acquire(timeout=PATIENCE):
            raise StoreUnavailable("another write is taking too long")
        try:
            yield
        finally:
            self._turn_to_write.release()

    def _insert_plainly(self, rows: dict[sa.Table, list[dict[str, Any]]]) -> None:
        """What every turn does, for SQLite: SQLAlchemy's own work would take as long as the database's."""
        try:
            with self._my_turn_to_write(), contextlib.closing(self._engine.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute("BEGIN IMMEDIATE")  # what isn't committed is rolled back by the pool
                for table, of_table in rows.items():
                    statement, values_of = _plain_insertion(table, tuple(of_table[0]), self._engine.dialect)
                    cursor.executemany(statement, map(values_of, of_table))
                cursor.execute("COMMIT")
        except (sqlite3.IntegrityError, sqlite3.DataError):
            raise
        except (*_UNAVAILABLE, sqlite3.Error) as error:
            raise StoreUnavailable(_why(error)) from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        return self._run(self._reader, work)

    def _read_row(self, statement: str, *values: str) -> Any:
        """The one value of a one-row query of SQLite."""
        try:
            with contextlib.closing(self._engine.raw_connection()) as connection:
                return connection.cursor().execute(statement, values).fetchone()[0]
        except (*_UNAVAILABLE, sqlite3.Error) as error:
            raise StoreUnavailable(_why(error)) from error

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        started = time.monotonic()
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except REFUSED:
                raise
            except _UNAVAILABLE as error:
                # A restarted server leaves dead connections in the pool: one more try, with a new one.
                lost = getattr(error, "connection_invalidated", False)
                if lost and time.monotonic() - started < PATIENCE / 4:
                    started -= PATIENCE
                    continue
                raise StoreUnavailable(_why(error)) from error


_TURNS = sa.select(conversation_turns)
_LAST_POSITION = sa.select(sa.func.max(conversation_turns.c.position)).where(
    conversation_turns.c.sender_id == sa.bindparam("sender")
)


@cache
def _insertion(table: sa.Table, columns: tuple[str, ...]) -> Any:
    """Inserts rows of which those that are there already stay. Written out, because SQLAlchemy 1.4 composes
    its own "on conflict do nothing" anew each time, and this is done for every message."""
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(f":{name}" for name in columns)
    text = f'INSERT INTO "{table.name}" ({names}) VALUES ({values}) ON CONFLICT DO NOTHING'  # noqa: S608 -- names of ours
    return sa.text(text).bindparams(*(sa.bindparam(name, type_=table.c[name].type) for name in columns))


@cache
def _plain_insertion(
    table: sa.Table, columns: tuple[str, ...], dialect: Any
) -> tuple[str, Callable[[Mapping[str, Any]], list[Any]]]:
    """The same in SQLite's own words, and what makes its values of a row, as SQLAlchemy would."""
    statement = str(_insertion(table, columns).compile(dialect=dialect))
    converters = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]

    def values_of(row: Mapping[str, Any]) -> list[Any]:
        given = zip(columns, converters, strict=True)
        return [convert(row[name]) if convert else row[name] for name, convert in given]

    return statement, values_of


def _why(error: Exception) -> str:
    """The database's own words without the statement, whose values are personal."""
    reason = str(
        error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None) or "no reason given"
    )
    return f"{type(error).__name__}: {reason.splitlines()[0]}"


def _digest(sender_id: str) -> str:
    return hashlib.sha256(sender_id.encode()).hexdigest()


def _without_erased(
    connection: Connection, rows: dict[type, list[dict[str, Any]]]
) -> dict[type, list[dict[str, Any]]]:
    """The rows of those who were not erased after the rows were written."""
    digests = {row["sender_id"]: _digest(row["sender_id"]) for of_kind in rows.values() for row in of_kind}
    erased: dict[str, datetime] = {}
    for some in _chunks(sorted(set(digests.values())), 500):
        query = sa.select(erasures.c.sender_digest, erasures.c.erased_at)
        for digest, at in connection.execute(query.where(erasures.c.sender_digest.in_(some))):
            erased[digest] = max(at, erased.get(digest, at))

    def stays(kind: type, row: dict[str, Any]) -> bool:
        at = erased.get(digests[row["sender_id"]])
        return at is None or _written_at(kind, row) > at

    return {kind: [row for row in of_kind if stays(kind, row)] for kind, of_kind in rows.items()}


def _written_at(kind: type, row: dict[str, Any]) -> datetime:
    if kind is Turn:
        return datetime.fromtimestamp(row["position"] / 1e9, timezone.utc)
    at: datetime = row[time_column(kind).name]
    return at


def _chunks(values: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
