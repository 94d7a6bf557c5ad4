"""Records what happens without ever costing a visitor a reply.

Everything goes through one thread, which commits what has gathered in one transaction. What the database
can't take is written and synced to the spool instead; a second thread stores it when the database is back.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from bot.settings import Settings
from bot.store.plain import from_plain, storable_id, to_plain
from bot.store.spool import Record, Spool
from bot.store.store import Item, Store, StoreUnavailable
from bot.store.tables import TABLES

logger = logging.getLogger(__name__)

_KINDS = {kind.__name__: kind for kind in TABLES}
_MOST_AT_ONCE = 200

_Entry = tuple[tuple[Item, ...], Future[bool]]


class RecordLost(Exception):
    """Neither the database nor the spool could take it."""


class Recorder:
    """Stores items through the store, or keeps them in the spool until it can.

    retry_after, retry_at_most: seconds between attempts while the database is down; they double.
    look_every: seconds after which to look for what other processes left in the spool.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        retry_after: float = 0.5,
        retry_at_most: float = 30.0,
        look_every: float = 30.0,
    ) -> None:
        self.store = store
        self.spool = spool
        self.retry_after = retry_after
        self.retry_at_most = retry_at_most
        self.look_every = look_every
        self._waiting: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._database_down = threading.Event()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._held: list[Item] = []
        self._holding = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.on_stored: list[Callable[[Sequence[Item]], None]] = []  # told what came from the spool

    @property
    def database_is_down(self) -> bool:
        """Whether items go straight to the spool, so that nobody waits for a database known to be down."""
        return self._database_down.is_set()

    def database_failed(self) -> None:
        """For those who saw a read fail: the database is left alone until it answers again."""
        self._database_down.set()
        self.start()
        self._wake.set()

    # ------------------------------------------------------------ for everybody

    def record(self, item: Item) -> None:
        """Returns when the item is committed, or synced to the spool. Never raises."""
        with contextlib.suppress(RecordLost):  # has been logged
            self.submit(item).result()

    async def record_async(self, item: Item) -> None:
        """`record` for the event loop, which goes on meanwhile."""
        with contextlib.suppress(RecordLost):
            await asyncio.wrap_future(self.submit(item))

    def submit(self, *items: Item) -> Future[bool]:
        """Hands items over, to be stored together. The future tells whether they were committed (True) or
        spooled; it fails with RecordLost when neither was possible."""
        done: Future[bool] = Future()
        done.set_running_or_notify_cancel()  # a visitor who leaves doesn't take the record along
        self.start()
        with self._holding:
            held, self._held = self._held, []
        self._waiting.put(((*held, *items), done))
        return done

    def hold(self, *items: Item) -> None:
        """Takes items that are stored together with whatever is submitted next: the turn that they are about.
        A transaction costs more than all that is in it. Should nothing follow, they are stored by themselves
        within `look_every` seconds."""
        self.start()
        with self._holding:
            self._held += items

    async def store_held(self) -> None:
        """Returns when what is held is committed, or spooled. For a process that stores no turns."""
        if self._held:
            with contextlib.suppress(RecordLost):
                await asyncio.wrap_future(self.submit())

    def start(self) -> None:
        """Starts the threads; `record` does it too. For a process that only stores what others spooled."""
        if self._threads:
            return
        with self._starting:
            if self._threads or self._stopping.is_set():
                return
            self._wake.set()  # something may be left from before a crash
            threads = [
                threading.Thread(target=self._write_forever, name="recorder", daemon=True),
                threading.Thread(target=self._drain_forever, name="recorder-drain", daemon=True),
            ]
            for thread in threads:
                thread.start()
            self._threads = threads

    def stop(self) -> None:
        """Stores or spools what was handed over, then ends the threads. The recorder can't be used again."""
        if self._held:
            self.submit()
        with self._starting:
            self._stopping.set()
        self._wake.set()
        self._waiting.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    # ------------------------------------------------------------ writing

    def _write_forever(self) -> None:
        ending = False
        while not ending:
            batch = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < _MOST_AT_ONCE:
                    batch.append(self._waiting.get_nowait())
            ending = None in batch
            self._write([entry for entry in batch if entry is not None])

    def _write(self, batch: list[_Entry]) -> None:
        if not batch:
            return
        items = [item for together, _ in batch for item in together]
        if not self.database_is_down:
            try:
                self._store(items)
            except StoreUnavailable as error:
                logger.warning("The database can't be used (%s); keeping records in the spool.", error)
                self._database_down.set()
            else:
                for _, done in batch:
                    done.set_result(True)
                return
        try:
            self.spool.append([_to_record(item) for item in items])
        except Exception as error:
            for item in items:
                logger.error("Lost a %s: database and spool both failed (%s).", type(item).__name__, error)
            for _, done in batch:
                done.set_exception(RecordLost())
        else:
            for _, done in batch:
                done.set_result(False)
        self._wake.set()

    def _store(self, items: Sequence[Item], late: bool = False) -> None:
        """Stores the items; what the database refuses for good is put aside, so that the rest is kept."""
        try:
            self.store.record_all(items, late=late)
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(items) > 1:
                for item in items:
                    self._store([item], late)
                return
            kind = type(items[0]).__name__
            logger.error("A %s was refused by the database and put aside (%s).", kind, type(error).__name__)
            try:
                self.spool.reject([_to_record(items[0])])
            except Exception as failure:
                logger.error("It could not be put aside: %s", failure)

    # ------------------------------------------------------------ draining

    def _drain_forever(self) -> None:
        delay = self.retry_after
        pause = 0.0
        while not self._stopping.is_set():
            if pause:
                self._stopping.wait(pause)
            else:
                self._wake.wait(self.look_every)
            self._wake.clear()
            if self._stopping.is_set():
                return
            if self._held:
                self.submit()
            try:
                self.drain()
            except StoreUnavailable:
                pause, delay = delay, min(delay * 2, self.retry_at_most)
            except Exception as error:
                logger.error("Could not read the spool: %s", error)
                pause, delay = delay, min(delay * 2, self.retry_at_most)
            else:
                pause, delay = 0.0, self.retry_after

    def drain(self) -> int:
        """Stores what waits in the spool, in order; says how many items there were.

        Raises:
            StoreUnavailable: the database is down; everything not stored yet still waits.
        """
        count = 0
        if self.database_is_down:
            self.store.ping()
        with self.spool.draining() as batches:
            for batch in batches:
                items = [item for item in map(_to_item, batch.records) if item is not None]
                for start in range(0, len(items), _MOST_AT_ONCE):
                    some = items[start : start + _MOST_AT_ONCE]
                    self._store(some, late=True)
                    count += len(some)
                    for listener in self.on_stored:
                        listener(some)
        if self.database_is_down:
            logger.warning("The database is back; %d records were stored from the spool.", count)
            self._database_down.clear()
        return count


class Unrecorded(Recorder):
    """Takes everything and keeps nothing: for conversations that no visitor has."""

    def submit(self, *items: Item) -> Future[bool]:
        """Says that the items are committed; nothing is written, nor any thread started."""
        done: Future[bool] = Future()
        done.set_result(True)
        return done

    def hold(self, *items: Item) -> None:
        pass


def _to_record(item: Item) -> Record:
    person: Any = getattr(item, "person", None)
    sender_id: str = person.sender_id if person else item.sender_id  # type: ignore[union-attr]
    return {
        "kind": type(item).__name__,
        "person_key": person.key if person else "",
        "sender_id": storable_id(sender_id),
        "data": to_plain(item),
    }


def _to_item(record: Record) -> Item | None:
    try:
        item: Item = from_plain(_KINDS[record["kind"]], record["data"])
        return item
    except Exception as error:
        logger.error("A spooled %s can't be read (%s).", record.get("kind"), type(error).__name__)
        return None


_shared: dict[tuple[str, str], Recorder] = {}
_sharing = threading.Lock()


def shared_recorder(settings: Settings) -> Recorder:
    """The recorder of this process for the database and spool of these settings."""
    key = _key(settings)
    with _sharing:
        if key not in _shared:
            recorder = Recorder(Store(settings.store_url), Spool(settings.spool_dir))
            atexit.register(recorder.stop)
            _shared[key] = recorder
        return _shared[key]


def record_nothing(settings: Settings) -> None:
    """From now on nothing that happens in this process is recorded for these settings."""
    with _sharing:
        _shared[_key(settings)] = Unrecorded(Store(settings.store_url), Spool(settings.spool_dir))


def _key(settings: Settings) -> tuple[str, str]:
    return settings.store_url, str(settings.spool_dir.absolute())
