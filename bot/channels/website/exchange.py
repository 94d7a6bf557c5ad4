"""Messages under way: each is processed once and in order, however often it is asked about."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

MOST_WAITING_PER_CONVERSATION = 5
KEPT = 1000


class Busy(Exception):
    """Too much is under way. `own`: in this very conversation."""

    def __init__(self, own: bool) -> None:
        super().__init__()
        self.own = own


class Exchange:
    """One message and the replies to it, as they come. Any number of connections may follow it."""

    def __init__(self) -> None:
        self.finished = False
        self._replies: list[Mapping[str, Any]] = []
        self._news = asyncio.Event()

    @classmethod
    def answered(cls, replies: Iterable[Mapping[str, Any]]) -> Exchange:
        """An exchange that is over, from what is known of it."""
        exchange = cls()
        for reply in replies:
            exchange.add(reply)
        exchange.finish()
        return exchange

    def add(self, reply: Mapping[str, Any]) -> None:
        self._replies.append(reply)
        self._tell()

    def finish(self) -> None:
        self.finished = True
        self._tell()

    async def follow(self, together: float = 0.0) -> AsyncIterator[list[Mapping[str, Any]]]:
        """The replies from the first on, until the message is answered: first those of as many seconds as
        `together`, perhaps none, then what comes within as many of the next. An answered message has one
        part, however slow whoever follows it."""
        told = 0
        while True:
            await self._finish_within(together)
            new, finished = self._replies[told:], self.finished
            told += len(new)
            yield new
            if finished:
                return
            while told == len(self._replies) and not self.finished:
                await self._news.wait()

    async def _finish_within(self, seconds: float) -> None:
        """Returns when the message is answered, or after so many seconds."""
        if self.finished or not seconds:
            return
        over = asyncio.Event()

        def end() -> None:
            over.set()
            self._tell()

        # Far cheaper than `wait_for`, which makes a task.
        timer = asyncio.get_running_loop().call_later(seconds, end)
        while not self.finished and not over.is_set():
            await self._news.wait()
        timer.cancel()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Exchanges:
    """The messages under way and the latest answered ones.

    A message is processed apart from the connection that brought it: a visitor whose network is cut comes
    back with the same message id and is given the replies, not a second turn.

    most: messages under way at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lanes: dict[str, list[Exchange]] = {}  # by conversation, in order
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: OrderedDict[tuple[str, str], Exchange] = OrderedDict()

    def find(self, conversation: str, message_id: str) -> Exchange | None:
        """The exchange of a message that came before."""
        return self._known.get((conversation, message_id))

    def begin(
        self, conversation: str, message_id: str, answer: Callable[[Exchange], Awaitable[None]]
    ) -> Exchange:
        """Has a message answered after those of its conversation that came before.

        Raises:
            Busy: too many are under way.
        """
        lane = self._lanes.setdefault(conversation, [])
        if len(lane) >= MOST_WAITING_PER_CONVERSATION:
            raise Busy(own=True)
        if len(self._tasks) >= self._most:
            raise Busy(own=False)
        exchange = Exchange()
        before = lane[-1] if lane else None
        lane.append(exchange)
        self._known[conversation, message_id] = exchange
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        task = asyncio.ensure_future(self._run(conversation, exchange, before, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return exchange

    async def _run(
        self,
        conversation: str,
        exchange: Exchange,
        before: Exchange | None,
        answer: Callable[[Exchange], Awaitable[None]],
    ) -> None:
        try:
            if before is not None:
                async for _ in before.follow():
                    pass
            await answer(exchange)
        except Exception:
            logger.exception("A message was left without an answer.")
        finally:
            exchange.finish()
            lane = self._lanes[conversation]
            lane.remove(exchange)
            if not lane:
                del self._lanes[conversation]
