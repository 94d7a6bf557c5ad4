"""Recording never costs a visitor a reply, and nothing is lost whatever happens to the database."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from bot.model import Event, OutgoingReply, Person, Reason, Reply, UnansweredQuestion
from bot.settings import load_settings
from bot.store.recorder import Recorder, RecordLost, record_nothing, shared_recorder
from bot.store.spool import Spool
from bot.store.store import Store
from tests.store.conftest import new_postgres_database, start_postgres

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[[Store], Recorder]


def event(person: Person, n: int = 0) -> Event:
    return Event(person, "message", {"n": n})


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Waits for something that another thread or process does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.01)


class Lock:
    """Keeps the database locked, as a hung process would."""

    def __init__(self, store: Store, tables: str = "events, unanswered_questions") -> None:
        self.engine = sa.create_engine(store.url, future=True)
        self.tables = tables

    def __enter__(self) -> None:
        self.connection = self.engine.connect()
        if self.engine.dialect.name == "sqlite":
            self.connection.connection.isolation_level = None
            self.connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            self.connection.exec_driver_sql(f"LOCK TABLE {self.tables} IN ACCESS EXCLUSIVE MODE")

    def __exit__(self, *_: Any) -> None:
        self.connection.rollback()
        self.connection.close()
        self.engine.dispose()


def test_recorded_means_stored(store: Store, make_recorder: Make, person: Person) -> None:
    recorder = make_recorder(store)
    recorder.record(happened := event(person))
    recorder.record(OutgoingReply(person, Reply("hello"), "kim"))
    assert store.events() == [happened]
    assert len(store.pending_replies("web")) == 1
    assert recorder.spool.is_empty()


async def test_the_event_loop_goes_on_while_recording(
    store: Store, make_recorder: Make, person: Person
) -> None:
    recorder = make_recorder(store)
    await asyncio.gather(*(recorder.record_async(event(person, n)) for n in range(50)))
    assert len(store.events()) == 50


async def test_a_visitor_who_leaves_does_not_stop_the_recorder(
    store: Store, make_recorder: Make, person: Person
) -> None:
    recorder = make_recorder(store)
    task = asyncio.ensure_future(recorder.record_async(event(person)))
    await asyncio.sleep(0)
    task.cancel()
    await recorder.record_async(event(person))
    assert len(store.events()) == 2


def test_a_locked_database_delays_one_visitor_at_most(
    store: Store, make_recorder: Make, person: Person
) -> None:
    recorder = make_recorder(store)
    recorder.record(event(person, 0))
    with Lock(store):
        started = time.monotonic()
        recorder.record(event(person, 1))
        assert time.monotonic() - started < 3
        assert recorder.database_is_down
        started = time.monotonic()
        for n in range(2, 22):
            recorder.record(event(person, n))
        assert time.monotonic() - started < 1  # straight to the spool
        assert not recorder.spool.is_empty()
    until(lambda: not recorder.database_is_down)
    recorder.record(event(person, 22))
    until(lambda: len(store.events()) == 23)
    assert recorder.spool.is_empty()


def test_a_database_that_is_not_there_yet(url: str, make_recorder: Make, person: Person) -> None:
    store = Store(url)  # no tables
    recorder = make_recorder(store)
    recorder.record(event(person))
    assert not recorder.spool.is_empty()
    store.migrate()
    until(lambda: len(store.events()) == 1)
    store.close()


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL server that the test may stop."""
    server = start_postgres()
    yield server
    server.cleanup()


def test_a_server_that_stops_and_comes_back(server: Any, make_recorder: Make, person: Person) -> None:
    store = Store(new_postgres_database(server))
    store.migrate()
    recorder = make_recorder(store)
    recorder.record(event(person, 0))
    server.stop()
    started = time.monotonic()
    recorder.record(event(person, 1))
    recorder.record(event(person, 2))
    assert time.monotonic() - started < 3
    server.ensure_postgres_running()
    until(lambda: len(store.events()) == 3, 20)
    recorder.record(event(person, 3))  # into the spool once more, if the recorder is still emptying it
    until(lambda: len(store.events()) == 4, 20)
    store.close()


def test_a_restarted_server_costs_nobody_anything(server: Any, make_recorder: Make, person: Person) -> None:
    store = Store(new_postgres_database(server))
    store.migrate()
    store.record_event(event(person))
    server.stop()
    server.ensure_postgres_running()
    assert len(store.events()) == 1  # on a new connection, at the first try
    recorder = make_recorder(store)
    recorder.record(event(person))
    assert not recorder.database_is_down
    store.close()


def test_a_server_that_hangs(server: Any, make_recorder: Make, person: Person) -> None:
    store = Store(new_postgres_database(server))
    store.migrate()
    recorder = make_recorder(store)
    recorder.record(event(person, 0))
    postmaster = psutil.Process(server.get_pid())
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        started = time.monotonic()
        recorder.record(event(person, 1))
        assert time.monotonic() - started < 4
        assert not recorder.spool.is_empty()
    finally:
        for process in processes:
            process.resume()
    until(lambda: len(store.events()) == 2, 20)
    store.close()


def test_killed_between_spool_and_drain(
    store: Store, make_recorder: Make, spool: Spool, person: Person
) -> None:
    code = """
import sys, threading
from pathlib import Path
from bot.model import Event, Person
from bot.store.recorder import Recorder
from bot.store.spool import Spool
from bot.store.store import Store
recorder = Recorder(Store("sqlite:////dev/null/none.db"), Spool(Path(sys.argv[1])))
person = Person("web", "visitor-1", "a" * 32)
for n in range(1000):
    recorder.record(Event(person, "message", {"n": n}))
    print(n, flush=True)
threading.Event().wait()
"""
    acknowledged = -1
    with subprocess.Popen(
        [sys.executable, "-c", code, str(spool.directory)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged == 20:
                break
        os.kill(process.pid, signal.SIGKILL)
    make_recorder(store).start()
    until(spool.is_empty)
    stored = sorted(e.data["n"] for e in store.events(limit=2000))
    assert stored == list(range(len(stored)))
    assert len(stored) > acknowledged


def test_killed_in_the_middle_of_draining(
    store: Store, make_recorder: Make, spool: Spool, person: Person
) -> None:
    """Stored, but still in the spool: the next process stores it again, which changes nothing."""
    down = Recorder(Store("sqlite:////dev/null/none.db"), spool, retry_after=60)
    for n in range(5):
        down.record(event(person, n))
    down.stop()
    with spool.draining() as batches:
        batch = next(batches)
        from bot.store.recorder import _to_item

        store.record_all([item for item in map(_to_item, batch.records) if item], late=True)
    assert not spool.is_empty()
    make_recorder(store).start()
    until(spool.is_empty)
    assert len(store.events()) == 5


def test_when_both_fail_it_says_so_without_the_text(
    tmp_path: Path, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    recorder = Recorder(
        Store(f"sqlite:///{tmp_path}/file/x.db"), Spool(tmp_path / "file" / "spool"), retry_after=60
    )
    secret = "call Jane on 0491 570 006"
    with caplog.at_level(logging.DEBUG):
        recorder.record(UnansweredQuestion(person, secret, Reason.FALLBACK))
        with pytest.raises(RecordLost):
            recorder.submit(UnansweredQuestion(person, secret, Reason.FALLBACK)).result()
    recorder.stop()
    assert "Lost a UnansweredQuestion" in caplog.text
    assert "Jane" not in caplog.text
    assert person.sender_id not in caplog.text


def test_one_record_that_is_refused_takes_no_other_along(
    store: Store, make_recorder: Make, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = make_recorder(store)
    good, bad = event(person, 1), Event(person, "message", id=None)  # type: ignore[arg-type]
    futures = [recorder.submit(item) for item in (good, bad, event(person, 2))]
    for future in futures:
        future.result(timeout=10)
    assert len(store.events()) == 2
    assert "put aside" in caplog.text
    assert (recorder.spool.directory / "rejected.jsonl").exists()


def test_stopping_stores_what_was_handed_over(store: Store, make_recorder: Make, person: Person) -> None:
    recorder = make_recorder(store)
    futures = [recorder.submit(event(person, n)) for n in range(100)]
    recorder.stop()
    assert all(future.done() for future in futures)
    assert len(store.events(limit=1000)) == 100


def test_what_is_held_is_stored_with_what_follows(store: Store, spool: Spool, person: Person) -> None:
    recorder = Recorder(store, spool, look_every=60)
    recorder.record(event(person, 0))  # the threads run
    written: list[int] = []
    record_all = store.record_all
    store.record_all = lambda items, late=False: (written.append(len(items)), record_all(items, late))  # type: ignore[assignment]
    recorder.hold(event(person, 1), event(person, 2))
    assert recorder.submit(event(person, 3)).result(timeout=10)
    recorder.stop()
    assert written == [3]
    assert len(store.events()) == 4


async def test_what_is_held_can_be_stored_by_itself(
    store: Store, make_recorder: Make, person: Person
) -> None:
    recorder = make_recorder(store)
    recorder.hold(event(person, 1))
    await recorder.store_held()
    assert len(store.events()) == 1
    await recorder.store_held()
    recorder.hold(event(person, 2))
    recorder.stop()
    assert len(store.events()) == 2


def test_what_is_held_is_stored_though_nothing_follows(
    store: Store, make_recorder: Make, person: Person
) -> None:
    recorder = make_recorder(store)
    recorder.hold(event(person, 1))
    until(lambda: bool(store.events()))


def test_nothing_runs_before_it_is_needed(store: Store, make_recorder: Make) -> None:
    before = threading.active_count()
    make_recorder(store)
    assert threading.active_count() == before


def test_one_recorder_a_process(tmp_path: Path) -> None:
    settings = load_settings({"MILIA_DATA_DIR": str(tmp_path / "var")}, tmp_path / "none")
    assert shared_recorder(settings) is shared_recorder(settings)
    assert shared_recorder(settings).spool.directory == settings.spool_dir


def test_where_nothing_is_recorded_everything_is_taken_and_nothing_kept(
    tmp_path: Path, person: Person
) -> None:
    settings = load_settings({"MILIA_DATA_DIR": str(tmp_path / "var")}, tmp_path / "none")
    before = threading.active_count()
    record_nothing(settings)
    recorder = shared_recorder(settings)
    recorder.record(event(person))
    assert recorder.submit(event(person)).result(timeout=0) is True
    assert threading.active_count() == before
    assert [path.name for path in (tmp_path / "var").rglob("*") if path.is_file()] in ([], ["secret_key"])
