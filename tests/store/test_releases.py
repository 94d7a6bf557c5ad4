"""Releases and publish runs on real databases: one run at a time, nothing half done, a way back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.model import new_id, utc_now
from bot.release_model import (
    Answered,
    Decisions,
    Difference,
    LostLease,
    Outcome,
    PublishError,
    PublishRun,
    Release,
    Report,
    RunState,
    TopicPart,
)
from bot.review_model import Who
from bot.store.release_tables import publish_runs, release_pieces
from bot.store.releases import PIECE
from bot.store.staff_store import StaffStore

KIM = Who("Kim", "k" * 32)
INPUTS = "i" * 64
DECISIONS = Decisions((TopicPart("faq/parking", "Parking", "Behind the house.", examples=("may I park",)),))
WORSE = Difference(
    "does it hurt",
    ("faq/pain",),
    Outcome(Answered.TOPIC, ("faq/pain",)),
    Outcome(Answered.TOPIC, ("faq/parking",)),
    worse=True,
)


@pytest.fixture
def store(url: str):
    store = StaffStore(url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"0123456789" * (PIECE // 8))
    return path


@pytest.fixture
def release(store: StaffStore, archive: Path) -> Callable[..., Release]:
    """Makes a release and, unless told otherwise, makes it live."""

    def make(live: bool = True, inputs: str = INPUTS) -> Release:
        made = Release(inputs, "d" * 64, archive.stat().st_size, DECISIONS, id=new_id())
        if live:
            store.register_release(made, archive, KIM)
        else:
            store.add_release(made, archive)
        return store.a_release(made.id)

    return make


@pytest.fixture
def tested(store: StaffStore, release: Callable[..., Release]) -> PublishRun:
    """A run whose candidate has been tested, owned by "one"."""
    before, made = release(), release(live=False)
    store.start_run(wanted := PublishRun(INPUTS, DECISIONS, wanted_by="Kim"))
    store.take_run("one")
    values = {"state": RunState.TESTING, "release_id": made.id, "baseline": before.id}
    store.move_run(wanted.id, "one", **values, report=Report(2, 2, 2))
    return store.a_run(wanted.id)


def lose(store: StaffStore) -> None:
    """The owner of the run has not been heard of for long."""
    store._write(lambda c: c.execute(sa.update(publish_runs).values(lease_until=utc_now() - timedelta(1))))


def test_an_archive_comes_back_as_it_was(store, release, archive):
    made = release()
    assert made.decisions == DECISIONS
    assert b"".join(store.archive(made.id)) == archive.read_bytes()


def test_the_live_release_is_the_last_one_of_the_same_files(store, release):
    assert store.live_release() is None
    first, second, other = release(), release(), release(inputs="o" * 64)
    assert [one.number for one in store.list_releases()] == [3, 2, 1]
    assert store.live_release(INPUTS).id == second.id
    assert store.live_release().id == other.id
    with pytest.raises(PublishError, match="another version of the program"):
        store.roll_back(first.id, KIM)


def test_back_to_a_former_release_and_forth(store, release):
    first, second = release(), release()
    store.roll_back(first.id, KIM)
    assert store.live_release(INPUTS).id == first.id
    with pytest.raises(PublishError, match="live already"):
        store.roll_back(first.id, KIM)
    store.roll_back(second.id, KIM)
    assert store.live_release(INPUTS).id == second.id
    assert [entry.action for entry in store.history(limit=2)] == ["rolled_back", "rolled_back"]


def test_only_the_first_of_several_servers_registers_its_model(store, archive):
    models = [Release(INPUTS, str(n) * 64, archive.stat().st_size, id=new_id()) for n in range(2)]
    assert store.register_release(models[0], archive, KIM, only_first=True)
    assert not store.register_release(models[1], archive, KIM, only_first=True)
    assert store.live_release(INPUTS).id == models[0].id


def test_old_archives_go_but_not_the_live_one(store, release):
    made = [release() for _ in range(4)]
    store.roll_back(made[1].id, KIM)
    assert store.drop_archives(keep=2) == 2
    assert [one.is_kept for one in store.list_releases()] == [True, False, True, False]
    assert store.drop_archives(keep=2) == 0
    with pytest.raises(PublishError, match="not kept"):
        store.roll_back(made[0].id, KIM)


def test_pieces_of_an_archive_that_was_never_finished_go(store, release):
    release()
    store._add_piece({"release_id": "x" * 32, "position": 0, "data": b"half"})
    store.start_run(wanted := PublishRun(INPUTS, DECISIONS))
    assert store.drop_archives(keep=2) == 0  # they may be those of the run that is under way
    store.cancel_run(wanted.id, KIM)
    store.drop_archives(keep=2)
    query = sa.select(sa.func.count()).where(release_pieces.c.release_id == "x" * 32)
    assert store._read(lambda c: c.execute(query).scalar()) == 0


def test_one_run_at_a_time(store, url):
    def start() -> None:
        other = StaffStore(url)
        try:
            other.start_run(PublishRun(INPUTS, DECISIONS))
            started.append("yes")
        except PublishError:
            started.append("no")
        finally:
            other.close()

    started: list[str] = []
    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == ["no"] * 5 + ["yes"]


def test_one_process_works_on_a_run(store):
    store.start_run(PublishRun(INPUTS, DECISIONS, wanted_by="Kim"))
    assert store.is_run_waiting()
    assert store.take_run("one").attempts == 1
    assert not store.is_run_waiting()
    assert store.take_run("two") is None


def test_a_lost_run_is_taken_over_once_and_its_first_process_may_do_no_more(store):
    store.start_run(wanted := PublishRun(INPUTS, DECISIONS))
    store.take_run("one")
    store.move_run(wanted.id, "one", state=RunState.TRAINING)
    lose(store)
    assert store.is_run_waiting()
    again = store.take_run("two")
    assert (again.state, again.attempts) == (RunState.QUEUED, 2)
    for step in (
        lambda: store.renew_run(wanted.id, "one"),
        lambda: store.move_run(wanted.id, "one", progress="still here"),
        lambda: store.end_run(wanted.id, "one", RunState.LIVE),
    ):
        with pytest.raises(LostLease):
            step()
    lose(store)
    assert store.take_run("three") is None
    ended = store.a_run(wanted.id)
    assert ended.state is RunState.FAILED
    assert "Nothing has changed" in ended.reason
    assert store.active_run() is None


def test_live_is_one_step(store, tested):
    store.end_run(tested.id, "one", RunState.LIVE)
    assert store.a_run(tested.id).state is RunState.LIVE
    assert store.live_release(INPUTS).id == tested.release_id
    assert [entry.who for entry in store.history(action="published")] == ["Kim"]


def test_not_live_over_a_release_that_it_was_not_compared_with(store, tested, release):
    between = release()
    store.end_run(tested.id, "one", RunState.LIVE)
    assert store.a_run(tested.id).state is RunState.FAILED
    assert "Another release" in store.a_run(tested.id).reason
    assert store.live_release(INPUTS).id == between.id


def test_a_refused_candidate_goes_live_when_every_difference_is_accepted(store, tested):
    report = Report(2, 2, 1, (WORSE,))
    store.end_run(tested.id, "one", RunState.REFUSED, "One question would be answered worse.", report=report)
    with pytest.raises(PublishError, match="accept"):
        store.release_candidate(tested.id, KIM)
    store.accept_difference(tested.id, WORSE.key, KIM, "we moved")
    accepted = store.a_run(tested.id).report.differences[0]
    assert (accepted.accepted_by, accepted.why) == ("Kim", "we moved")
    assert store.history(action="accepted")[0].data["why"] == "we moved"
    store.release_candidate(tested.id, KIM)
    assert store.live_release(INPUTS).id == tested.release_id
    with pytest.raises(PublishError):
        store.release_candidate(tested.id, KIM)


def test_a_held_candidate_does_not_go_live_over_another_release(store, tested, release):
    store.end_run(tested.id, "one", RunState.READY)
    release()
    with pytest.raises(PublishError, match="train it again"):
        store.release_candidate(tested.id, KIM)


def test_what_a_release_answers_is_remembered(store, release):
    made = release()
    assert store.outcomes(made.id) == {}
    store.remember_outcomes(made.id, {"q": Outcome(Answered.TOPIC, ("faq/pain",))})
    assert store.outcomes(made.id) == {"q": {"kind": "topic", "intents": ["faq/pain"]}}
