"""Counts how often something is done: for all servers together in Redis, in this process while it is away."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from limits import RateLimitItem
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from bot.moving_window import MovingWindows
from bot.redis_link import RedisAway, RedisLink, options

T = TypeVar("T")


class Rates:
    """A window that moves with the clock, for any number of limits."""

    def __init__(self, redis_url: str = "") -> None:
        # Kept here: a limiter holds its storage by a weak reference only.
        self._own_storage = MovingWindows()
        self._own = MovingWindowRateLimiter(self._own_storage)
        self._shared_storage = storage_from_string(redis_url, **options()) if redis_url else None
        self._shared = MovingWindowRateLimiter(self._shared_storage) if self._shared_storage else None
        self._link = RedisLink("limits", "each server counts for itself.")

    @property
    def is_shared(self) -> bool:
        """Whether counting asks Redis, which takes a moment."""
        return self._shared is not None

    def hit(self, limit: RateLimitItem, *key: str) -> bool:
        """Counts one; whether it is within the limit."""
        if self._with(lambda limiter: limiter.hit(limit, *key)):
            return True
        if self.seconds_left(limit, *key) <= limit.get_expiry():
            return False
        # The clock was put back: what was counted lies in the future and would bar the way until then.
        self._with(lambda limiter: limiter.clear(limit, *key))
        return self._with(lambda limiter: limiter.hit(limit, *key))

    def allows(self, limit: RateLimitItem, *key: str) -> bool:
        """Whether one more would be within the limit."""
        return self._with(lambda limiter: limiter.test(limit, *key))

    def seconds_left(self, limit: RateLimitItem, *key: str) -> int:
        """After which another one will be allowed."""
        reset, _ = self._with(lambda limiter: limiter.get_window_stats(limit, *key))
        return max(1, math.ceil(reset - time.time()))

    def _with(self, count: Callable[[MovingWindowRateLimiter], T]) -> T:
        if self._shared is not None:
            try:
                with self._link.asking():
                    return count(self._shared)
            except RedisAway:
                pass
        return count(self._own)
