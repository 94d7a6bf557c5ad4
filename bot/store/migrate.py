"""Brings the tables up to date, whoever else is doing the same at the same time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection, Engine

from bot.store.engine import open_engine

PATIENCE = 300.0
"""Seconds that a migration, or waiting for another process's, may take."""

_LOCK = 0x6D696C6961  # any number that nobody else locks: "milia"


def migrate(url: str, revision: str = "head") -> None:
    """Runs the migrations that are missing, up to `revision`."""
    engine = open_engine(url, patience=PATIENCE, pooled=False)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        with _one_at_a_time(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


def newest() -> str:
    """The last revision that there is."""
    return max(path.name for path in (Path(__file__).parent / "migrations" / "versions").glob("v*.py"))[1:5]


@contextlib.contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        # A lock in a file of its own: turning a new database to WAL can't wait for its turn.
        with open(f"{engine.url.database}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with engine.connect() as connection:
                yield connection
    else:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
            yield connection
