"""Lanes: the messages of a conversation are answered one after the other, in the order in which they came.

Within a server by a queue in memory. Across servers by the same queue in Redis, where every ticket has a
lease that its server renews: when a server dies, its tickets make room after `LEASE` seconds. While Redis is
away each server keeps the order of its own messages, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Any

import redis.asyncio

from bot import metrics
from bot.model import new_id
from bot.redis_link import RedisAway, RedisLink, address, options

logger = logging.getLogger(__name__)

LEASE = 3.0
PATIENCE = 1.5
"""Seconds that a message waits for a Redis that hangs, before it does without."""
LOOK_EVERY = 0.5
"""Seconds between looks at the lane of another server, which usually tells before."""

# Queues the ticket (again, at its old place, should Redis have lost it), renews its lease, removes tickets
# in front of it whose servers are gone. Gives the ticket whose turn it is, and this one's place.
_QUEUE = """
local lane, leases, ticket, place, lease = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if not redis.call('ZSCORE', lane, ticket) then
  if place == 0 then
    local last = redis.call('ZREVRANGE', lane, 0, 0, 'WITHSCORES')[2]
    place = math.max(now, (tonumber(last) or 0) + 1)
  end
  redis.call('ZADD', lane, string.format('%.0f', place), ticket)
end
redis.call('HSET', leases, ticket, string.format('%.0f', now + lease * 1000000))
local first = redis.call('ZRANGE', lane, 0, 0)[1]
while first ~= ticket and tonumber(redis.call('HGET', leases, first) or 0) < now do
  redis.call('ZREM', lane, first)
  redis.call('HDEL', leases, first)
  first = redis.call('ZRANGE', lane, 0, 0)[1]
end
redis.call('EXPIRE', lane, 60)
redis.call('EXPIRE', leases, 60)
return {first, string.format('%.0f', tonumber(redis.call('ZSCORE', lane, ticket)))}
"""

# Removes the ticket and tells the next one.
_LEAVE = """
local lane, leases, ticket = KEYS[1], KEYS[2], ARGV[1]
redis.call('ZREM', lane, ticket)
redis.call('HDEL', leases, ticket)
local first = redis.call('ZRANGE', lane, 0, 0)[1]
if first then
  local call = ARGV[2] .. first
  redis.call('RPUSH', call, 1)
  redis.call('EXPIRE', call, 10)
end
"""


class Ticket:
    """One message's place in its conversation's lane."""

    def __init__(self, lane: str) -> None:
        self.id = new_id()
        self.lane = lane
        self.place = "0"  # where Redis has put it
        self.left = False
        self.queued = asyncio.Event()
        self.news = asyncio.Event()


class Lanes:
    """The lanes of this server, and of all servers when there is a Redis."""

    def __init__(self, redis_url: str = "", lease: float = LEASE, patience: float = PATIENCE) -> None:
        self._redis: Any = None
        if redis_url:
            self._redis = redis.asyncio.from_url(address(redis_url), **options(patience))
        self._link = RedisLink("lanes", "each server keeps the order of its own messages only.")
        self._lease = lease
        self._lanes: dict[str, deque[Ticket]] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self, conversation: str) -> AsyncIterator[None]:
        """Waits until everything that came before in this conversation has been dealt with."""
        ticket = Ticket(hashlib.sha256(conversation.encode("utf-8", "surrogatepass")).hexdigest()[:32])
        lane = self._lanes.setdefault(ticket.lane, deque())
        before = lane[-1] if lane else None
        lane.append(ticket)
        try:
            with metrics.stage("lane"):
                await self._queue_up(ticket, before)
                await self._wait(ticket, lane)
            yield
        finally:
            self._leave(ticket, lane)

    async def close(self) -> None:
        """Gives back the connections; tickets that are left make room by themselves."""
        if self._renewing:
            self._renewing.cancel()
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=1.0)
        if self._redis is not None:
            await self._redis.close(close_connection_pool=True)

    # ------------------------------------------------------------ waiting

    async def _queue_up(self, ticket: Ticket, before: Ticket | None) -> None:
        """Takes the place behind the message that came before."""
        if self._redis is None:
            return
        try:
            if before is not None:  # its place is to be in front, also when the network is slow for it
                await before.queued.wait()
            await self._first(ticket)
            if self._renewing is None or self._renewing.done():
                self._renewing = asyncio.create_task(self._renew())
        finally:
            ticket.queued.set()

    async def _wait(self, ticket: Ticket, lane: deque[Ticket]) -> None:
        while True:
            while lane[0] is not ticket:
                ticket.news.clear()
                await ticket.news.wait()
            if self._redis is None:
                return
            first = await self._first(ticket)
            if first is None or any(one.id == first for one in lane):
                return
            await self._called(ticket)

    async def _first(self, ticket: Ticket) -> str | None:
        """Whose turn it is among all servers; None while Redis is away."""
        with suppress(RedisAway), self._link.asking():
            call = self._redis.eval(_QUEUE, 2, *_keys(ticket), ticket.id, ticket.place, self._lease)
            first, place = await _heeding(call)
            ticket.place = place.decode()
            return str(first.decode())
        return None

    async def _called(self, ticket: Ticket) -> None:
        """Returns when another server tells that it is this ticket's turn, or it is time to look again."""
        try:
            with self._link.asking():
                await _heeding(self._redis.blpop(_CALL + ticket.id, timeout=LOOK_EVERY))
        except RedisAway:
            await asyncio.sleep(0)

    # ------------------------------------------------------------ leases

    async def _renew(self) -> None:
        """Renews the leases of all tickets, while there are any."""
        while self._lanes:
            await asyncio.sleep(self._lease / 3)
            for ticket in [one for lane in self._lanes.values() for one in lane]:
                if ticket.queued.is_set() and not ticket.left:
                    await self._first(ticket)
                    if ticket.left:  # meanwhile: it must not be queued again
                        await self._told(ticket)

    def _leave(self, ticket: Ticket, lane: deque[Ticket]) -> None:
        lane.remove(ticket)
        ticket.left = True
        ticket.queued.set()
        if lane:
            lane[0].news.set()
        else:
            self._lanes.pop(ticket.lane, None)
        if self._redis is not None:  # the visitor has the reply and needn't wait for this
            task = asyncio.create_task(self._told(ticket))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _told(self, ticket: Ticket) -> None:
        with suppress(RedisAway), self._link.asking():
            await self._redis.eval(_LEAVE, 2, *_keys(ticket), ticket.id, _CALL)


async def _heeding(call: Awaitable[Any]) -> Any:
    """What a call to Redis gives. Its client loses a cancellation that comes while it connects."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task.cancel()
        raise
    return task.result()


_CALL = "milia:call:"


def _keys(ticket: Ticket) -> tuple[str, str]:
    """Without the conversation's id, which can be a person's; in braces for clusters of Redis."""
    return f"milia:lane:{{{ticket.lane}}}", f"milia:leases:{{{ticket.lane}}}"
