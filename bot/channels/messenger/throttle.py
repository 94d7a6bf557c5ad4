"""Spaces out the calls to a Page."""

from __future__ import annotations

import asyncio


class Throttle:
    """At most so many calls a second to each Page, from this process."""

    def __init__(self, calls_per_second: float) -> None:
        self._apart = 1 / calls_per_second
        self._next: dict[str, float] = {}

    async def turn(self, page: str) -> None:
        """Returns when it is the caller's turn."""
        while True:
            now = asyncio.get_running_loop().time()
            start = self._next.get(page, now)
            if start <= now + self._apart:
                self._next[page] = max(start, now) + self._apart
                await asyncio.sleep(max(0.0, start - now))
                return
            await asyncio.sleep(start - now)

    def pause(self, page: str, seconds: float) -> None:
        """Lets the Page rest."""
        until = asyncio.get_running_loop().time() + seconds
        self._next[page] = max(until, self._next.get(page, until))
