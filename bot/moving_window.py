"""Windows that move with the clock, in this process: a storage for the `limits` package.

Its own keeps every key for good, and walks through all of them a hundred times a second in threads that it
starts one after the other: a tenth of the chat server's time.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field


@dataclass
class _Window:
    """When things were done, oldest first. expiry: seconds for which each of them counts."""

    expiry: int
    times: deque[float] = field(default_factory=deque)

    def forget(self, now: float) -> None:
        while self.times and self.times[0] < now - self.expiry:
            self.times.popleft()


class MovingWindows:
    """What `limits.strategies.MovingWindowRateLimiter` asks of a storage. Keys that no longer count go."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()  # that used last is last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._windows)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts `amount` more unless that would be above the limit; whether it did."""
        now = time.time()
        with self._lock:
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = _Window(expiry)
            self._windows.move_to_end(key)
            self._drop_old(now)
            window.forget(now)
            if len(window.times) + amount > limit:
                return False
            window.times.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[int, int]:
        """The time of the first thing that still counts, or now, and how many count."""
        now = time.time()
        with self._lock:
            window = self._windows.get(key, _Window(expiry))
            window.forget(now)
            return int(window.times[0] if window.times else now), len(window.times)

    def clear(self, key: str) -> None:
        """Forgets a key."""
        with self._lock:
            self._windows.pop(key, None)

    def _drop_old(self, now: float) -> None:
        """Two keys at most, so that no request pays for all."""
        for _ in range(2):
            key, oldest = next(iter(self._windows.items()))
            oldest.forget(now)
            if oldest.times or len(self._windows) == 1:
                break
            del self._windows[key]
