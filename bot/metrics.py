"""What Prometheus reads of a process, on a port of its own that is not for the public (docs/operations.md).

Counted where it happens; what lies in the database or on the disk is looked up when it is asked for.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.settings import Settings

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

TURNS = Counter("milia_turns_total", "Messages that were answered.", ["channel", "result"])
"""result: `answered`, `trouble` (the visitor was given the phone line) or `late` (that, after too long)."""

OUTCOMES = Counter("milia_outcomes_total", "What became of messages.", ["channel", "outcome"])
"""outcome: `message` for every one, and for its questions `answered`, `dont_know`, `asked_back`, ..."""

STAGE = Histogram("milia_stage_seconds", "How long a stage of an answer takes.", ["stage"], buckets=_SECONDS)
"""stage: `turn` is the whole of it; `lane`, `understanding`, `action` and `storing` are parts."""

UNDER_WAY = Gauge("milia_turns_under_way", "Messages that are being answered.")
SENDS = Counter("milia_messenger_sends_total", "Calls to Messenger.", ["result"])
"""result: `sent`, `again` (will be tried again), `unsure` (may have arrived) or `given_up`."""

REDIS_AWAY = Gauge("milia_redis_away", "Whether Redis failed when it was last asked.", ["what_for"])


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Times a stage."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        STAGE.labels(name).observe(time.perf_counter() - begun)


def timed(name: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Times a coroutine function as a stage."""

    observe = STAGE.labels(name).observe

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(function)
        async def timing(*args: P.args, **kwargs: P.kwargs) -> T:
            begun = time.perf_counter()
            try:
                return await function(*args, **kwargs)
            finally:
                observe(time.perf_counter() - begun)

        return timing

    return decorate


Look = Callable[[], dict[str, float]]


class Looked(Collector):
    """A gauge whose values are looked up when they are asked for; none when that fails.

    look: values by the label's value; for a gauge without a label by "".
    """

    def __init__(self, name: str, explanation: str, look: Look, label: str = "") -> None:
        self._name = name
        self._explanation = explanation
        self._look = look
        self._label = label

    def describe(self) -> Iterable[Any]:
        return [self._family()]

    def collect(self) -> Iterable[Any]:
        family = self._family()
        try:
            found = self._look()
        except Exception as error:
            logger.debug("%s can't be looked up (%s).", self._name, type(error).__name__)
            found = {}
        for value, number in found.items():
            family.add_metric([value] if self._label else [], number)
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._name, self._explanation, labels=[self._label] if self._label else None)


def serve(settings: Settings, place: int, looked: Iterable[Looked] = ()) -> None:
    """Answers Prometheus, when there is a port for it.

    place: each process of a machine has the port that is so much higher than MILIA_METRICS_PORT.
    """
    if not settings.metrics_port:
        return
    for collector in looked:
        REGISTRY.register(collector)
    try:
        start_http_server(settings.metrics_port + place, settings.metrics_host)
    except OSError as error:
        logger.error(
            "No metrics: port %s can't be had (%s).", settings.metrics_port + place, type(error).__name__
        )
