"""Background work in a server: lanes that are claimed and worked off, and chores that come round."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, Protocol, TypeVar

from bot.store.messenger_lanes import LaneLost
from bot.store.store import StoreUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

GRACE = 3.0
"""Seconds for what is under way when the server stops."""


class Piece(Protocol):
    """A piece of work in a lane: an event to answer, a message to send."""

    @property
    def conversation(self) -> str: ...


P = TypeVar("P", bound=Piece)


class Threads:
    """Runs the store's calls, which block, away from the event loop."""

    def __init__(self, number: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(number, thread_name_prefix=name)

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)

    def close(self) -> None:
        self._pool.shutdown(wait=False)


class Crew(Generic[P]):
    """Works off lanes, many at a time, each by one worker.

    claim: takes lanes that have work, at most as many as it is given, and gives the first piece of work of
        each; blocks, so it is run in a thread.
    work: works off one lane from that piece on. It looks at `stopping` between two pieces.
    at_once: lanes under way at once.
    look_every: seconds between looks when nobody says that there is work.
    """

    def __init__(
        self,
        name: str,
        threads: Threads,
        claim: Callable[[int], list[P]],
        work: Callable[[P], Awaitable[None]],
        at_once: int,
        look_every: float = 0.5,
    ) -> None:
        self.stopping = False
        self._name = name
        self._threads = threads
        self._claim = claim
        self._work = work
        self._at_once = at_once
        self._look_every = look_every
        self._news = asyncio.Event()
        self._lanes: dict[asyncio.Task[None], str] = {}
        self._boss: asyncio.Task[None] | None = None

    @property
    def lanes(self) -> list[str]:
        """The conversations that are being worked on."""
        return list(self._lanes.values())

    def start(self) -> None:
        self._boss = asyncio.create_task(self._run())

    def wake(self, after: float = 0.0) -> None:
        """There is work, or will be after so many seconds."""
        if after:
            asyncio.get_running_loop().call_later(after, self._news.set)
        else:
            self._news.set()

    async def stop(self) -> None:
        """Takes no more lanes, and lets what is under way be finished, the claiming too."""
        self.stopping = True
        self._news.set()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._finished(), GRACE)
        for task in filter(None, (self._boss, *self._lanes)):
            task.cancel()

    async def _finished(self) -> None:
        if self._boss is not None:
            await asyncio.wait({self._boss})
        if self._lanes:
            await asyncio.wait(self._lanes)

    async def _run(self) -> None:
        while not self.stopping:
            self._news.clear()
            room = self._at_once - len(self._lanes)
            claimed: list[P] = []
            if room > 0:
                try:
                    claimed = await self._threads.run(self._claim, room)
                except StoreUnavailable as error:
                    logger.warning("The %s waits for the database (%s).", self._name, error)
                except Exception as error:
                    logger.error("The %s can't look for work (%s).", self._name, type(error).__name__)
            for lane in claimed:
                self._begin(lane)
            if not self.stopping and (not claimed or len(self._lanes) >= self._at_once):
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._look_every)

    def _begin(self, lane: P) -> None:
        task = asyncio.create_task(self._guarded(lane))
        self._lanes[task] = lane.conversation
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._lanes.pop(task, None)
        self._news.set()

    async def _guarded(self, lane: P) -> None:
        """What fails is taken up again when the lane's lease has ended, here or by another server."""
        try:
            await self._work(lane)
        except LaneLost:
            logger.info("A lane of the %s went to another server.", self._name)
        except StoreUnavailable as error:
            logger.warning("The %s lost the database (%s).", self._name, error)
        except Exception:
            logger.exception("The %s failed at a lane.", self._name)


class Gate:
    """Lets few through at a time, so that computing leaves the event loop to others again and again.

    One who stays longer than `patience` seconds is waiting for something, and takes nobody's place.
    """

    def __init__(self, at_once: int, patience: float = 1.0) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._patience = patience

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        await self._places.acquire()
        slow = asyncio.get_running_loop().call_later(self._patience, self._places.release)
        try:
            yield
        finally:
            if slow.when() > asyncio.get_running_loop().time() and not slow.cancelled():
                slow.cancel()
                self._places.release()


class Gathered(Generic[T]):
    """Does in one go what is asked for while the last go is under way.

    do: takes everything that has gathered; what it raises is raised to all who asked.
    """

    def __init__(self, do: Callable[[list[T]], Awaitable[None]]) -> None:
        self._do = do
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._going: asyncio.Task[None] | None = None

    async def ask(self, item: T) -> None:
        """Returns when it is done."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._going is None or self._going.done():
            self._going = asyncio.create_task(self._go())
        await done

    async def _go(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._do([item for item, _ in batch])
            except Exception as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)


class Chore:
    """Something that is done again and again; what goes wrong is done the next time."""

    def __init__(self, name: str, every: float, do: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._every = every
        self._do = do
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Do it now."""
        self._news.set()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._do()
            except StoreUnavailable as error:
                logger.warning("%s has to wait for the database (%s).", self.name, error)
            except Exception:
                logger.exception("%s failed.", self.name)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._every)
