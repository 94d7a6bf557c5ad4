"""The tracker store against Rasa's own, in one run: `python benchmarks/tracker_store.py [--turns 2000]`.

A turn is what Rasa's processor does for a message: read the tracker, add the events, save it. Both stores
write to SQLite files in the same folder; each turn of ours is committed and synced before `save` returns.
Prints turns a second with 16 visitors at once, the time of a turn early and late in a conversation, and late
for a process that doesn't know it yet, and bytes on disk per 1,000 messages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.serving import standin  # noqa: E402

standin.install()
warnings.simplefilter("ignore")  # of Rasa and the libraries of its time

from rasa.core.tracker_store import SQLTrackerStore, TrackerStore  # noqa: E402
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import ActionExecuted, SessionStarted  # noqa: E402

from bot.store.recorder import Recorder  # noqa: E402
from bot.store.spool import Spool  # noqa: E402
from bot.store.store import Store  # noqa: E402
from bot.store.tracker_store import AppendTrackerStore  # noqa: E402
from tests.store.test_turn_codec import turn  # noqa: E402

DOMAIN = Domain.from_yaml("slots: {topic: {type: text, mappings: [{type: custom}]}}")
Make = Callable[[Path], TrackerStore]


def ours(folder: Path) -> TrackerStore:
    store = Store(f"sqlite:///{folder}/ours.db")
    store.migrate()
    return AppendTrackerStore(DOMAIN, recorder=Recorder(store, Spool(folder / "spool")))


def rasas(folder: Path) -> TrackerStore:
    return SQLTrackerStore(DOMAIN, dialect="sqlite", db=str(folder / "rasa.db"))


async def one_turn(store: TrackerStore, sender_id: str, first: bool = False) -> float:
    """Seconds that one turn takes."""
    events = turn(at=time.time())
    if first:
        events = [ActionExecuted("action_session_start"), SessionStarted(), *events]
    started = time.perf_counter()
    tracker = await store.get_or_create_tracker(sender_id, append_action_listen=False)
    tracker.update_with_events(events, DOMAIN)
    await store.save(tracker)
    return time.perf_counter() - started


async def throughput(store: TrackerStore, visitors: int, turns: int) -> float:
    async def visit(name: str) -> None:
        for number in range(turns):
            await one_turn(store, name, first=number == 0)

    started = time.perf_counter()
    await asyncio.gather(*(visit(f"visitor {n}") for n in range(visitors)))
    return visitors * turns / (time.perf_counter() - started)


async def flatness(store: TrackerStore, fresh: Callable[[], TrackerStore], turns: int) -> dict[str, float]:
    """Milliseconds of turns 2 to 17 of a conversation and of 16 turns after many, taken by turns.

    Median on the clock, and mean of processor time, which other work on the machine doesn't lengthen.
    """
    for number in range(turns):
        await one_turn(store, "long", first=number == 0)
    clock: dict[str, list[float]] = {"early": [], "late": []}
    processor = {"early": 0.0, "late": 0.0}
    for number in range(5):
        await one_turn(store, f"short {number}", first=True)
        for _ in range(16):
            for kind, name in (("early", f"short {number}"), ("late", "long")):
                started = time.process_time()
                clock[kind].append(await one_turn(store, name))
                processor[kind] += time.process_time() - started
    cold = [await one_turn(fresh(), "long") for _ in range(5)]
    return {
        "early_ms": round(statistics.median(clock["early"]) * 1000, 2),
        "late_ms": round(statistics.median(clock["late"]) * 1000, 2),
        "early_processor_ms": round(processor["early"] / 80 * 1000, 2),
        "late_processor_ms": round(processor["late"] / 80 * 1000, 2),
        "late_new_process_ms": round(statistics.median(cold) * 1000, 2),
    }


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.db"))


async def measure(make: Make, turns: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        store = make(folder)
        result["turns_per_second_16_visitors"] = round(await throughput(store, 16, 15))
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        store = make(folder)
        before = size(folder)
        for number in range(200):
            for step in range(5):
                await one_turn(store, f"visitor {number}", first=step == 0)
        close(store)
        result["bytes_per_1000_messages"] = size(folder) - before
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        store = make(folder)
        result["turns"] = turns
        result.update(await flatness(store, lambda: make(folder), turns))
    return result


def close(store: TrackerStore) -> None:
    """Writes what still lies in the write-ahead log into the database, so that its size counts."""
    if isinstance(store, AppendTrackerStore):
        store.recorder.stop()
        store.recorder.store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2000, help="length of the long conversation")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    results = {
        "append": asyncio.run(measure(ours, arguments.turns)),
        # Rasa's store gets slow: a shorter conversation says enough.
        "rasa_sql": asyncio.run(measure(rasas, min(arguments.turns, 500))),
    }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
