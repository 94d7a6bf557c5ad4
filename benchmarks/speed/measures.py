"""What is measured of one server in one round."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import quantile
from benchmarks.speed.contestants import Contestant
from benchmarks.speed.traffic import TURNS, Conversation, Traffic, of_the_clinic
from benchmarks.stock import ROOT, clean_environment

VISITORS = 16
SECONDS_AT_HALF = 12.0
"""How long the load at half of the top throughput lasts."""

FEWEST_AT_HALF = 100
COMPARED_TURNS = 400
"""Turns of the old conversation that are compared with second turns, each of them about another message. One costs
several times as much as another: with a hundred of them the ratio was 1.1 in one run and 1.4 in the next."""

REST = 3.0
"""Seconds without messages before the memory is looked at."""

Figures = dict[str, float]


class FailedMessages(Exception):
    """The server did not answer everything: its figures would be worth nothing."""


@dataclass
class Round:
    """Measures one server. scale: of the numbers of messages; below 1 is quicker and less exact."""

    contestant: Contestant
    scale: float = 1.0

    def measure(self) -> Figures:
        """Starts the server, measures all there is, stops it."""
        figures: Figures = {}
        try:
            figures["start"] = self.contestant.start()
            traffic = of_the_clinic()
            figures["throughput_cold"] = self._throughput(traffic, figures, "cold")
            figures["throughput_warm"] = self._throughput(traffic, figures, "warm")
            self._one_visitor(traffic, figures)
            self._half_load(traffic, figures)
            time.sleep(REST)
            figures["memory"] = self.contestant.memory()
            if self.contestant.age:
                self._old_age(traffic, figures)
        finally:
            self.contestant.stop()
        return figures

    def _conversations(self, traffic: Traffic, messages: float) -> list[Conversation]:
        return traffic.conversations(max(VISITORS // TURNS + 1, round(messages * self.scale / TURNS)))

    def _throughput(self, traffic: Traffic, figures: Figures, caches: str) -> float:
        """Messages a second that 16 visitors get answered. Cold, nothing of it has been said to this server."""
        conversations = self._conversations(traffic, self.contestant.messages)
        sizes, used = self.contestant.database_bytes(), self.contestant.processor_seconds()
        done = self._load(conversations, at_once=VISITORS)
        messages = sum(map(len, conversations))
        figures["answered"] = 1 - done["silent"] / messages
        figures[f"processor_{caches}"] = (self.contestant.processor_seconds() - used) / messages
        if any(sizes):
            grown = zip(self.contestant.database_bytes(), sizes, strict=True)
            figures["conversations"], figures["database"] = (
                (after - before) / messages * 1000 for after, before in grown
            )
        return messages / done["seconds"]

    def _one_visitor(self, traffic: Traffic, figures: Figures) -> None:
        texts = self._conversations(traffic, self.contestant.messages / 4)
        figures["median"] = statistics.median(self._load(texts, at_once=1)["times"])
        # All of these have been said before: what a visitor gets who asks what everybody asks.
        figures["median_repeated"] = statistics.median(self._load(texts, at_once=1)["times"])

    def _half_load(self, traffic: Traffic, figures: Figures) -> None:
        rate = figures["throughput_warm"] / 2
        texts = self._conversations(traffic, max(FEWEST_AT_HALF, rate * SECONDS_AT_HALF))
        times = self._load(texts, rate=rate)["times"]
        figures["half_median"] = statistics.median(times)
        figures["half_p99"] = quantile(times, 0.99)

    def _old_age(self, traffic: Traffic, figures: Figures) -> None:
        age = max(20, round(self.contestant.age * self.scale))
        compared = min(COMPARED_TURNS, age // 4)
        first, *others = traffic.conversations(1 + compared)
        talk: list[Conversation] = [[*first, *(text for one in others for text in one[3:])]]
        done = self._load([*talk, *(["hello", *one[:2]] for one in others)], age=age)
        figures["old_turn"] = age
        figures["old"] = statistics.median(done["times"])
        figures["young"] = statistics.median(done["young"])

    def _load(self, conversations: Sequence[Conversation], **how: Any) -> dict[str, Any]:
        job = {
            "visitors": self.contestant.visitors,
            "url": self.contestant.url,
            "conversations": conversations,
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.speed.load"],
            cwd=ROOT,
            env=clean_environment(),
            input=json.dumps({**job, **how}),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise FailedMessages(f"{self.contestant.title}: the load generator gave up. It said: {last}")
        result: dict[str, Any] = json.loads(done.stdout)
        if result["failed"]:
            failed = result["failed"]
            raise FailedMessages(
                f"{self.contestant.title}: {len(failed)} messages failed, such as {failed[0]}"
            )
        return result
