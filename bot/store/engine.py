"""Opens the database so that no call waits long: locked, hung or unreachable, there is an error soon."""

from __future__ import annotations

import os
import select
import threading
import time
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.pool import NullPool, QueuePool

PATIENCE = 2.0
"""Seconds that a call may wait for the database."""

IDLE = 5
"""Times as long, the database waits for the next statement of a transaction."""

_install = threading.Lock()


def open_engine(url: str, patience: float = PATIENCE, pooled: bool = True) -> Engine:
    """An engine for SQLite or PostgreSQL; connects when first used.

    patience: seconds after which a statement that got no answer fails (migrations have more).
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, patience, pooled)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, patience, pooled)
    raise ValueError(f"The database has to be SQLite or PostgreSQL, not {parsed.get_backend_name()}.")


def _pool(patience: float, pooled: bool) -> dict[str, Any]:
    return (
        {"poolclass": QueuePool, "pool_size": 5, "max_overflow": 10, "pool_timeout": patience}
        if pooled
        else {"poolclass": NullPool}
    )


def _sqlite(url: sa.engine.URL, patience: float, pooled: bool) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        future=True,
        connect_args={"timeout": patience, "check_same_thread": False},
        **_pool(patience, pooled),
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        record.info["file"] = _identity(url.database)
        connection.isolation_level = None  # transactions begin where we say, DDL included
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # what is committed survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "checkout")
    def _check(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != _identity(url.database):  # else writes go to a file that is gone
            raise sa.exc.DisconnectionError("The database file was replaced.")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.engine.Connection) -> None:
        # A writer takes its turn at once: a reader that turns writer half-way can't wait, it fails.
        reads = connection.get_execution_options().get("reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _identity(path: str | None) -> tuple[int, int] | None:
    try:
        status = os.stat(path or "")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _postgresql(url: sa.engine.URL, patience: float, pooled: bool) -> Engine:
    with _install:
        psycopg2.extensions.set_wait_callback(_wait)
    milliseconds = int(patience * 1000)
    limits = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        # A process that hangs in a transaction is not to keep others from the rows that it holds.
        "idle_in_transaction_session_timeout": IDLE * milliseconds,
        "timezone": "UTC",
    }
    return sa.create_engine(
        url,
        future=True,
        connect_args={
            "connection_factory": type("_Connection", (_Connection,), {"patience": patience}),
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            "application_name": "milia",
        },
        **_pool(patience, pooled),
    )


class _Connection(psycopg2.extensions.connection):
    """A connection that gives up on a server that hangs, whose own time-outs don't work then either."""

    patience = PATIENCE


def _wait(connection: Any) -> None:
    """Waits for the server as psycopg2 asks, for as long as the connection has patience."""
    poll = select.poll()
    patience = getattr(connection, "patience", PATIENCE) + 0.25  # the server's own time-out is first
    deadline = time.monotonic() + patience
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        wanted = select.POLLIN if state == psycopg2.extensions.POLL_READ else select.POLLOUT
        poll.register(connection.fileno(), wanted)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise psycopg2.OperationalError("The database server did not answer in time.")
