"""The load generator, a process of its own: takes a job as JSON on stdin, prints what came out.

{"visitors": "website", "url": ..., "conversations": [[text, ...], ...], "at_once": 16}
{..., "rate": 60.0}      messages come at random moments, so many a second, whether or not others wait
{..., "age": 2000}       the first conversation goes on to that turn, while its turns are compared with second turns
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from typing import Any

import aiohttp
import uvloop

from benchmarks.speed.visitors import KINDS

Job = dict[str, Any]


class Load:
    """Runs one job."""

    def __init__(self, job: Job, http: aiohttp.ClientSession) -> None:
        self._job = job
        self._visitor = KINDS[job["visitors"]](http, job["url"])
        self._times: list[float] = []
        self._young: list[float] = []  # of second turns
        self._failed: list[str] = []
        self._silent = 0  # messages without a reply

    async def run(self) -> dict[str, Any]:
        """Seconds for everything, seconds of each message, and what failed."""
        started = time.perf_counter()
        if self._job.get("age"):
            await self._growing_old()
        elif self._job.get("rate"):
            await self._at_random()
        else:
            await self._one_after_another()
        seconds = time.perf_counter() - started
        return {
            "seconds": seconds,
            "times": self._times,
            "young": self._young,
            "silent": self._silent,
            "failed": self._failed,
        }

    async def _one_after_another(self) -> None:
        """Each visitor sends the next message when the last is answered, then begins a new conversation."""
        waiting = iter(self._job["conversations"])

        async def visit() -> None:
            for texts in waiting:
                conversation = await self._visitor.begin()
                for text in texts:
                    self._times.append(await self._say(conversation, text, time.perf_counter()))

        await asyncio.gather(*(visit() for _ in range(self._job["at_once"])))

    async def _at_random(self) -> None:
        """Messages at exponentially distributed distances; a message's time counts from when it was due."""
        chance = random.Random(7)
        conversations = self._job["conversations"]
        begun = [await self._visitor.begin() for _ in conversations]
        order = [asyncio.Lock() for _ in conversations]
        tasks = []
        due = time.perf_counter()
        for turn in range(max(map(len, conversations))):
            for number, texts in enumerate(conversations):
                if turn < len(texts):
                    due += chance.expovariate(self._job["rate"])
                    await asyncio.sleep(due - time.perf_counter())
                    tasks.append(
                        asyncio.ensure_future(self._in_order(order[number], begun[number], texts[turn], due))
                    )
        await asyncio.gather(*tasks)

    async def _in_order(self, order: asyncio.Lock, conversation: Any, text: str, due: float) -> None:
        async with order:
            self._times.append(await self._say(conversation, text, due))

    async def _growing_old(self) -> None:
        """One conversation goes on and on. At the end each of its turns takes its turn with the second message of a
        visitor who has just come, so that whatever else slows the machine slows both."""
        first, *others = self._job["conversations"]
        texts = itertools.cycle(first)
        old = await self._visitor.begin()
        for _ in range(self._job["age"] - len(others)):
            await self._say(old, next(texts), time.perf_counter())
        for number, (greeting, for_young, for_old) in enumerate(others):
            young = await self._visitor.begin()
            await self._say(young, greeting, time.perf_counter())
            both = [(young, for_young, self._young), (old, for_old, self._times)]
            for conversation, text, times in both if number % 2 else both[::-1]:
                times.append(await self._say(conversation, text, time.perf_counter()))

    async def _say(self, conversation: Any, text: str, since: float) -> float:
        """Sends a message; seconds until it is answered, or has failed."""
        try:
            self._silent += not await self._visitor.say(conversation, text)
        except Exception as error:
            self._failed.append(f"{type(error).__name__}: {error}")
        return time.perf_counter() - since


async def main() -> None:
    """Reads the job, runs it, prints the result."""
    job = json.load(sys.stdin)
    connections = aiohttp.TCPConnector(limit=0, keepalive_timeout=75)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connections, timeout=timeout) as http:
        print(json.dumps(await Load(job, http).run()))


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main())
