"""Background work in a server: lanes that are claimed and worked off, and chores that come round."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from bot.store.messenger_lanes import LaneLost
from bot.store.store import StoreUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

GRACE = 3.0
"""Seconds for what is under way when the server stops."""


class Threads:
    """Runs the store's calls, which block, away from the event loop."""

    def __init__(self, number: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(number, thread_name_prefix=name)

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)

    def close(self) -> None:
        self._pool.shutdown(wait=False)


class Crew:
    """Works off lanes, many at a time, each by one worker.

    claim: takes lanes that have work, at most as many as it is given; blocks, so it is run in a thread.
    work: works off one lane. It looks at `stopping` between two pieces of work.
    at_once: lanes under way at once.
    look_every: seconds between looks when nobody says that there is work.
    """

    def __init__(
        self,
        name: str,
        threads: Threads,
        claim: Callable[[int], list[str]],
        work: Callable[[str], Awaitable[None]],
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
        self._lanes: set[asyncio.Task[None]] = set()
        self._boss: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return bool(self._lanes)

    def start(self) -> None:
        self._boss = asyncio.create_task(self._run())

    def wake(self, after: float = 0.0) -> None:
        """There is work, or will be after so many seconds."""
        if after:
            asyncio.get_running_loop().call_later(after, self._news.set)
        else:
            self._news.set()

    async def stop(self) -> None:
        """Takes no more lanes, and lets what is under way be finished."""
        self.stopping = True
        if self._boss is not None:
            self._boss.cancel()
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=GRACE)
        for lane in self._lanes:
            lane.cancel()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            room = self._at_once - len(self._lanes)
            claimed: list[str] = []
            if room > 0:
                try:
                    claimed = await self._threads.run(self._claim, room)
                except StoreUnavailable as error:
                    logger.warning("The %s waits for the database (%s).", self._name, error)
                except Exception as error:
                    logger.error("The %s can't look for work (%s).", self._name, type(error).__name__)
            for lane in claimed:
                self._begin(lane)
            if not claimed or len(self._lanes) >= self._at_once:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._look_every)

    def _begin(self, lane: str) -> None:
        task = asyncio.create_task(self._guarded(lane))
        self._lanes.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._lanes.discard(task)
        self._news.set()

    async def _guarded(self, lane: str) -> None:
        """What fails is taken up again when the lane's lease has ended, here or by another server."""
        try:
            await self._work(lane)
        except LaneLost:
            logger.info("A lane of the %s went to another server.", self._name)
        except StoreUnavailable as error:
            logger.warning("The %s lost the database (%s).", self._name, error)
        except Exception:
            logger.exception("The %s failed at a lane.", self._name)


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
