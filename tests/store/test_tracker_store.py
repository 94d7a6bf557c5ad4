"""Conversations are kept turn by turn: what was acknowledged is there, in order, whatever happens.

The first part is a contract that Rasa's own stores keep as well.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bot.serving import standin

standin.install()

from rasa.core.tracker_store import (  # noqa: E402
    FailSafeTrackerStore,
    InMemoryTrackerStore,
    SQLTrackerStore,
    TrackerStore,
    check_if_tracker_store_async,
)
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import (  # noqa: E402
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402
from rasa.utils.endpoints import EndpointConfig  # noqa: E402

from bot.model import Person  # noqa: E402
from bot.store.recorder import Recorder  # noqa: E402
from bot.store.spool import Spool  # noqa: E402
from bot.store.store import Store  # noqa: E402
from bot.store.tracker_store import AppendTrackerStore  # noqa: E402
from tests.store.conftest import new_postgres_database  # noqa: E402
from tests.store.test_recorder import Lock, until  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[[Store], Recorder]

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [greet, faq]
slots:
  topic: {type: text, mappings: [{type: custom}]}
  phone: {type: text, mappings: [{type: custom}]}
forms:
  callback_form: {required_slots: [phone]}
responses:
  utter_greet: [{text: Hello}]
"""
)


def said(number: int, message_id: str | None = None, **slots: Any) -> list[Event]:
    """The events of one turn."""
    intent = {"name": "faq", "confidence": 0.9}
    return [
        UserUttered(f"question {number}", intent, input_channel="website", message_id=message_id),
        *[SlotSet(name, value) for name, value in slots.items()],
        ActionExecuted("utter_greet", "policy_0_RulePolicy", 1.0),
        BotUttered(f"answer {number}"),
        ActionExecuted("action_listen", "policy_0_RulePolicy", 1.0),
    ]


def session() -> list[Event]:
    return [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]


async def converse(store: TrackerStore, sender_id: str, events: list[Event]) -> DialogueStateTracker:
    """One turn, as Rasa's processor does it."""
    tracker = await store.get_or_create_tracker(sender_id, append_action_listen=False)
    tracker.update_with_events(events, DOMAIN)
    await store.save(tracker)
    return tracker


def texts(tracker: DialogueStateTracker | None) -> list[str]:
    assert tracker is not None
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]


def kinds(tracker: DialogueStateTracker | None) -> list[str]:
    assert tracker is not None
    return [event.type_name for event in tracker.events]


# ---------------------------------------------------------------- the contract


@pytest.fixture(params=["append-sqlite", "append-postgresql", "rasa-memory", "rasa-sql"])
def trackers(
    request: pytest.FixtureRequest, tmp_path: Path, make_recorder: Make
) -> Iterator[Callable[[], TrackerStore]]:
    """A maker of stores on one and the same data (a second one is another process, or the next start)."""
    if request.param == "rasa-memory":
        memory = InMemoryTrackerStore(DOMAIN)
        yield lambda: memory
        return
    if request.param == "rasa-sql":
        yield lambda: SQLTrackerStore(DOMAIN, dialect="sqlite", db=str(tmp_path / "rasa.db"))
        return
    url = f"sqlite:///{tmp_path}/milia.db"
    if request.param == "append-postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres"))
    store = Store(url)
    store.migrate()
    yield lambda: AppendTrackerStore(DOMAIN, recorder=make_recorder(store))
    store.close()


async def test_nothing_is_known_of_a_stranger(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    assert await store.retrieve("stranger") is None
    assert await store.retrieve_full_tracker("stranger") is None
    assert not await store.exists("stranger")
    assert list(await store.keys()) == []


async def test_a_created_tracker_is_stored(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    tracker = await store.get_or_create_tracker("a")
    assert kinds(tracker) == ["action"]
    assert await store.exists("a")
    assert list(await store.keys()) == ["a"]
    assert kinds(await trackers().retrieve("a")) == ["action"]


async def test_events_after_creating_are_stored(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    tracker = await store.get_or_create_tracker("a")
    tracker.update_with_events([*session(), *said(1)], DOMAIN)
    await store.save(tracker)
    assert texts(await trackers().retrieve("a")) == ["question 1"]


async def test_a_conversation_goes_on(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    for number in range(5):
        tracker = await converse(store, "a", said(number, topic=f"topic {number}"))
    for reader in (store, trackers()):
        found = await reader.retrieve("a")
        assert found is not None
        assert texts(found) == [f"question {n}" for n in range(5)]
        assert found.get_slot("topic") == "topic 4"
        assert found.latest_action_name == "action_listen"
        assert found.latest_message is not None
        assert found.latest_message.text == "question 4"
        assert found.get_latest_input_channel() == "website"
        assert found == tracker


async def test_conversations_are_apart(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    await asyncio.gather(*(converse(store, name, said(n)) for n, name in enumerate("abc")))
    assert sorted(await store.keys()) == ["a", "b", "c"]
    assert texts(await trackers().retrieve("b")) == ["question 1"]


async def test_saving_twice_stores_once(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    tracker = await converse(store, "a", said(1))
    await store.save(tracker)
    assert texts(await trackers().retrieve("a")) == ["question 1"]


async def test_only_the_latest_session_is_read(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    await converse(store, "a", [*session(), *said(1, topic="old")])
    await converse(store, "a", [*session(), *said(2)])
    for reader in (store, trackers()):
        found = await reader.retrieve("a")
        assert found is not None
        assert texts(found) == ["question 2"]
        assert found.get_slot("topic") is None
        assert texts(await reader.retrieve_full_tracker("a")) == ["question 1", "question 2"]
    await converse(store, "a", said(3))
    assert texts(await trackers().retrieve("a")) == ["question 2", "question 3"]


async def test_a_form_stays_open(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    await converse(store, "a", [*session(), *said(1), ActiveLoop("callback_form")])
    found = await trackers().retrieve("a")
    assert found is not None
    assert found.active_loop_name == "callback_form"


async def test_a_restart_forgets_the_slots(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    await converse(store, "a", said(1, topic="x"))
    await converse(store, "a", [Restarted(), ActionExecuted("action_listen")])
    found = await trackers().retrieve("a")
    assert found is not None
    assert found.get_slot("topic") is None


async def test_a_tracker_made_elsewhere_is_stored(trackers: Callable[[], TrackerStore]) -> None:
    made = DialogueStateTracker.from_events("a", said(1), DOMAIN.slots)
    await trackers().save(made)
    assert texts(await trackers().retrieve("a")) == ["question 1"]


async def test_another_process_adds_to_what_it_read(trackers: Callable[[], TrackerStore]) -> None:
    one, other = trackers(), trackers()
    for number in range(6):
        await converse((one, other)[number % 2], "a", said(number))
    assert texts(await one.retrieve("a")) == [f"question {n}" for n in range(6)]


async def test_events_are_streamed_once(trackers: Callable[[], TrackerStore]) -> None:
    class Broker:
        def __init__(self) -> None:
            self.texts: list[str] = []

        def publish(self, body: dict[str, Any]) -> None:
            if body["event"] == "user":
                self.texts.append(body["text"])

    store = trackers()
    store.event_broker = broker = Broker()
    for number in range(3):
        await converse(store, "a", said(number))
    assert broker.texts == ["question 0", "question 1", "question 2"]


async def test_a_new_domain_is_used(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    await converse(store, "a", said(1))
    store.domain = Domain.from_yaml("slots: {extra: {type: text, mappings: [{type: custom}]}}")
    found = await store.retrieve("a")
    assert found is not None
    assert "extra" in found.slots


async def test_copies_of_a_tracker_are_saved_rightly(trackers: Callable[[], TrackerStore]) -> None:
    store = trackers()
    tracker = await converse(store, "a", said(1))
    copy = tracker.copy()
    copy.update_with_events(said(2), DOMAIN)
    await store.save(copy)
    assert texts(await trackers().retrieve("a")) == ["question 1", "question 2"]


async def test_a_full_tracker_can_be_added_to(trackers: Callable[[], TrackerStore]) -> None:
    """As Rasa's HTTP API does it."""
    store = trackers()
    await converse(store, "a", said(1))
    full = await store.get_or_create_full_tracker("a")
    full.update_with_events(said(2), DOMAIN)
    await store.save(full)
    assert texts(await trackers().retrieve("a")) == ["question 1", "question 2"]


async def test_rasa_takes_it_for_an_asynchronous_store(trackers: Callable[[], TrackerStore]) -> None:
    assert check_if_tracker_store_async(trackers())


# ---------------------------------------------------------------- ours alone


@pytest.fixture
def append(store: Store, make_recorder: Make) -> Callable[..., AppendTrackerStore]:
    """A maker of stores on the same database, each as in a process of its own."""
    return lambda **options: AppendTrackerStore(DOMAIN, recorder=make_recorder(store), **options)


async def test_rasa_finds_it_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILIA_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(ROOT)
    made = TrackerStore.create(EndpointConfig(type="bot.store.tracker_store.AppendTrackerStore"), DOMAIN)
    assert isinstance(made, AppendTrackerStore)


@pytest.mark.parametrize("name", ["x" * 100_000, "nul\0", "\ud800", "שלום", "'; DROP TABLE events; --", ""])
async def test_any_conversation_id(append: Callable[..., AppendTrackerStore], name: str) -> None:
    await converse(append(), name, said(1))
    found = await append().retrieve(name)
    assert texts(found) == ["question 1"]
    assert found is not None
    assert found.sender_id == name


async def test_a_turn_with_any_text(append: Callable[..., AppendTrackerStore]) -> None:
    await converse(append(), "a", [UserUttered("nul \0 half \ud83d whole \U0001f600", {"name": "faq"})])
    assert texts(await append().retrieve("a")) == ["nul  half \ufffd whole \U0001f600"]


async def test_a_long_conversation_is_read_in_part_and_kept_whole(
    append: Callable[..., AppendTrackerStore],
) -> None:
    store = append(keep_turns=4)
    most = 0
    await converse(store, "a", [*session(), *said(0, phone="+61491570006")])
    for number in range(1, 60):
        tracker = await converse(store, "a", said(number, topic=f"topic {number}"))
        most = max(most, len(texts(tracker)))
        assert tracker.get_slot("phone") == "+61491570006"  # said long before what is read
        assert texts(tracker)[-1] == f"question {number}"
        assert len(texts(tracker)) >= min(number + 1, 4)
    assert most <= 9
    assert texts(await append().retrieve_full_tracker("a")) == [f"question {n}" for n in range(60)]
    fresh = await append(keep_turns=4).retrieve("a")
    assert fresh is not None
    assert fresh.get_slot("phone") == "+61491570006"
    assert len(texts(fresh)) <= 9


async def test_a_long_conversation_between_two_processes(append: Callable[..., AppendTrackerStore]) -> None:
    stores = append(keep_turns=3), append(keep_turns=3)
    await converse(stores[0], "a", said(0, phone="+61491570006"))
    for number in range(1, 40):
        tracker = await converse(stores[number % 2], "a", said(number))
        assert tracker.get_slot("phone") == "+61491570006"
    assert len(texts(tracker)) <= 7
    assert texts(await append().retrieve_full_tracker("a")) == [f"question {n}" for n in range(40)]


async def test_a_form_that_goes_on_for_long(append: Callable[..., AppendTrackerStore]) -> None:
    store = append(keep_turns=3)
    await converse(store, "a", [*said(0), ActiveLoop("callback_form"), SlotSet("requested_slot", "phone")])
    for number in range(1, 20):
        tracker = await converse(store, "a", said(number))
        assert tracker.active_loop_name == "callback_form"
        assert tracker.get_slot("requested_slot") == "phone"


async def test_memory_is_bounded(append: Callable[..., AppendTrackerStore]) -> None:
    store = append(cache_size=5)
    for number in range(20):
        await converse(store, f"visitor {number}", said(number))
    assert len(store._cache) == 5
    assert texts(await store.retrieve("visitor 0")) == ["question 0"]


async def test_two_readers_do_not_share_a_tracker(append: Callable[..., AppendTrackerStore]) -> None:
    store = append()
    await converse(store, "a", said(1))
    one, other = await store.retrieve("a"), await store.retrieve("a")
    assert one is not None
    assert one is not other
    one.update_with_events(said(2), DOMAIN)  # never saved
    assert texts(other) == ["question 1"]
    assert texts(await store.retrieve("a")) == ["question 1"]


async def test_erased_is_gone_from_every_process(
    append: Callable[..., AppendTrackerStore], store: Store, spool: Spool
) -> None:
    one, other = append(), append()
    await converse(one, "visitor-1", said(1))
    await converse(other, "visitor-1", said(2))
    store.erase_person(Person("website", "visitor-1", "a" * 32), spool)
    assert await one.retrieve("visitor-1") is None
    assert await other.retrieve("visitor-1") is None
    await converse(one, "visitor-1", said(3))
    assert texts(await other.retrieve_full_tracker("visitor-1")) == ["question 3"]


async def test_deleting_a_conversation(append: Callable[..., AppendTrackerStore]) -> None:
    store = append()
    await converse(store, "a", said(1))
    await converse(store, "b", said(1))
    await store.delete("a")
    assert await store.retrieve("a") is None
    assert await store.keys() == ["b"]


async def test_a_save_that_is_cancelled_is_stored_once(append: Callable[..., AppendTrackerStore]) -> None:
    store = append()
    tracker = await converse(store, "a", said(1))
    tracker.update_with_events(said(2), DOMAIN)
    task = asyncio.ensure_future(store.save(tracker))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await store.save(tracker)
    assert texts(await append().retrieve_full_tracker("a")) == ["question 1", "question 2"]


async def test_who_waits_for_a_cancelled_save_may_be_cancelled_too(
    append: Callable[..., AppendTrackerStore], store: Store
) -> None:
    one = append()
    await converse(one, "a", said(0))
    tracker = await one.retrieve("a")
    assert tracker
    tracker.update_with_events(said(1), DOMAIN)
    with Lock(store, "conversation_turns"):
        for waits in (one.save(tracker), one.retrieve("a"), one.retrieve("a")):
            task = asyncio.ensure_future(waits)
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        assert texts(await one.retrieve("a")) == ["question 1"]


# ---------------------------------------------------------------- several servers


async def test_a_message_that_two_servers_answer_is_stored_once(
    append: Callable[..., AppendTrackerStore],
) -> None:
    one, other = append(), append()
    await converse(one, "a", said(0, "first"))
    mine, others = await one.retrieve("a"), await other.retrieve("a")
    for store, tracker in ((one, mine), (other, others)):
        assert tracker
        tracker.update_with_events(said(1, "second"), DOMAIN)
        await store.save(tracker)
    for store in (one, other):
        await converse(store, "b", said(1, "second"))  # an id is one conversation's own
        await converse(store, "a", said(2))
        await converse(store, "a", said(2))  # without an id it is another message
    for store in (one, other):
        whole = texts(await store.retrieve_full_tracker("a"))
        assert whole == ["question 0", "question 1", *["question 2"] * 4]
        assert texts(await store.retrieve("a")) == whole


async def test_a_message_whose_answer_lies_in_a_spool_and_that_another_server_answers_is_stored_once(
    append: Callable[..., AppendTrackerStore], store: Store, tmp_path: Path
) -> None:
    one, other = append(), append()
    other.recorder.spool = Spool(tmp_path / "of another machine")
    await converse(one, "a", said(0, "first"))
    with Lock(store, "conversation_turns"):
        await converse(one, "a", said(1, "second"))
    await asyncio.to_thread(until, lambda: not other.recorder.database_is_down)
    await converse(other, "a", said(1, "second"))
    await converse(other, "a", said(2, "third"))
    assert texts(await one.retrieve_full_tracker("a")).count("question 1") == 1
    await asyncio.to_thread(until, one.recorder.spool.is_empty)
    for tracker_store in (one, other):
        whole = texts(await tracker_store.retrieve_full_tracker("a"))
        assert whole == [f"question {number}" for number in range(3)]
        assert texts(await tracker_store.retrieve("a")) == whole


# ---------------------------------------------------------------- while the database is down


async def test_a_conversation_goes_on_while_the_database_is_locked(
    append: Callable[..., AppendTrackerStore], store: Store
) -> None:
    one = append()
    await converse(one, "known", said(0, topic="kept"))
    await one.retrieve("known")  # no longer in memory
    await converse(one, "open", said(0))
    with Lock(store, "conversation_turns"):
        waited = []
        for number in range(1, 30):
            started = time.monotonic()
            await converse(one, "open", said(number))
            waited.append(time.monotonic() - started)
        assert max(waited) < 5
        assert median(waited) < 0.5, "only one that finds out, or looks whether it is back, waits"
        await converse(FailSafeTrackerStore(one), "known", said(1))
        await converse(FailSafeTrackerStore(one), "new", said(1))
        assert texts(await one.retrieve("new")) == ["question 1"]
    await asyncio.to_thread(
        until, lambda: not one.recorder.database_is_down and one.recorder.spool.is_empty()
    )
    other = append()
    assert texts(await other.retrieve_full_tracker("open")) == [f"question {n}" for n in range(30)]
    assert texts(await other.retrieve_full_tracker("known")) == ["question 0", "question 1"]
    assert texts(await other.retrieve_full_tracker("new")) == ["question 1"]
    await converse(one, "open", said(30))
    assert texts(await other.retrieve_full_tracker("open"))[-1] == "question 30"
    assert one._spooled == {}


async def test_killed_at_any_moment(url: str, spool: Spool, make_recorder: Make) -> None:
    """Every turn whose save had returned is there after kill -9, in order."""
    Store(url).migrate()
    code = """
import asyncio, sys
from pathlib import Path
from bot.serving import standin
standin.install()
from tests.store.test_tracker_store import *
async def main():
    trackers = AppendTrackerStore(DOMAIN, recorder=Recorder(Store(sys.argv[1]), Spool(Path(sys.argv[2]))))
    for number in range(100000):
        await asyncio.gather(*(converse(trackers, f"visitor {n}", said(number)) for n in range(4)))
        print(number, flush=True)
asyncio.run(main())
"""
    acknowledged = -1
    with subprocess.Popen(
        [sys.executable, "-c", code, url, str(spool.directory)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged == 40:
                break
        os.kill(process.pid, signal.SIGKILL)
    store = Store(url)
    trackers = AppendTrackerStore(DOMAIN, recorder=make_recorder(store))
    for visitor in range(4):
        numbers = texts(await trackers.retrieve_full_tracker(f"visitor {visitor}"))
        assert numbers == [f"question {n}" for n in range(len(numbers))]
        assert len(numbers) > acknowledged
    store.close()
