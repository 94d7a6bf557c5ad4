"""The tables are made and changed without losing anything, also when several processes start at once."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bot.store
from bot.model import Event, Person
from bot.store.store import Store
from bot.store.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


def test_the_migrations_make_the_tables_of_the_code(store: Store) -> None:
    for module in pkgutil.iter_modules(bot.store.__path__):
        if module.name.endswith("tables"):
            importlib.import_module(f"bot.store.{module.name}")
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_from_the_first_version_with_data(url: str, person: Person) -> None:
    store = Store(url)
    store.migrate("0001")
    store.record_event(happened := Event(person, "message", {"n": 1}))
    store.migrate()
    assert store.events() == [happened]
    assert store.conversations() == []
    store.migrate()  # again is nothing
    store.close()


def test_many_processes_at_once(url: str) -> None:
    code = "import sys; from bot.store.store import Store; Store(sys.argv[1]).migrate()"
    running = [
        subprocess.Popen([sys.executable, "-c", code, url], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0], errors
    store = Store(url)
    with store._engine.connect() as connection:
        assert sa.inspect(connection).has_table("conversation_turns")
    store.close()
