"""The load generator, a process of its own: takes a job as JSON on stdin, prints what came out.

{"visitors": "website", "url": ..., "conversations": [[text, ...], ...], "at_once": 16}
{..., "rate": 60.0}      messages come at random moments, so many a second, whether or not others wait
{..., "from_turn": 2}    counts only from that turn of each conversation on
"""

from __future__ import annotations

import asyncio
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
        self._failed: list[str] = []

    async def run(self) -> dict[str, Any]:
        """Seconds for everything, seconds of each message, and what failed."""
        started = time.perf_counter()
        await (self._at_random() if self._job.get("rate") else self._one_after_another())
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "times": self._times, "failed": self._failed}

    async def _one_after_another(self) -> None:
        """Each visitor sends the next message when the last is answered, then begins a new conversation."""
        waiting = iter(self._job["conversations"])

        async def visit() -> None:
            for texts in waiting:
                conversation = await self._visitor.begin()
                for turn, text in enumerate(texts, start=1):
                    await self._say(conversation, text, time.perf_counter(), turn)

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
            await self._say(conversation, text, due, turn=0)

    async def _say(self, conversation: Any, text: str, since: float, turn: int) -> None:
        try:
            await self._visitor.say(conversation, text)
        except Exception as error:
            self._failed.append(f"{type(error).__name__}: {error}")
        if turn >= self._job.get("from_turn", 0):
            self._times.append(time.perf_counter() - since)


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
