"""Whether Redis is worth asking: one that is away or hangs may cost a visitor a second, but only once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from bot import metrics

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
"""Seconds for which nobody asks after a failure; they double."""


def options(patience: float = 1.0) -> dict[str, float]:
    """For every client that is made. patience: seconds that a call may wait for Redis."""
    return {"socket_timeout": patience, "socket_connect_timeout": patience}


class RedisAway(Exception):
    """Redis has failed just now; the caller does without."""


class RedisLink:
    """Knows whether Redis answers.

    what_for: what it is asked for, for the metrics.
    without: what it means that it doesn't answer, for the log.
    """

    def __init__(self, what_for: str, without: str) -> None:
        self._without = without
        self._gauge = metrics.REDIS_AWAY.labels(what_for)
        self._gauge.set(0)
        self._away_until = 0.0
        self._pause = FIRST_PAUSE
        self._is_away = False

    @property
    def is_away(self) -> bool:
        """Whether it failed when it was asked last."""
        return self._is_away

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around a call to Redis.

        Raises:
            RedisAway: it failed, or has failed a moment ago.
        """
        if time.monotonic() < self._away_until:
            raise RedisAway
        try:
            yield
        except (RedisError, OSError) as error:
            if not self._is_away:
                logger.warning("Redis can't be reached (%s): %s", type(error).__name__, self._without)
            self._is_away = True
            self._gauge.set(1)
            if time.monotonic() >= self._away_until:  # of several who were asking, one lengthens the pause
                self._away_until = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            raise RedisAway from error
        if self._is_away:
            logger.warning("Redis is back.")
            self._is_away = False
            self._gauge.set(0)
            self._pause = FIRST_PAUSE


def address(url: str) -> str:
    """The URL as Redis's own client takes it."""
    return url.replace("redis+unix://", "unix://", 1)
