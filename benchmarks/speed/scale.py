"""What the measured figures carry and cost, for docs/scale.md."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.sections import table, write_section

PAGE = Path("docs/scale.md")
SHARE = 0.5
"""Of the top throughput that is used at the busiest moment: there the slowest hundredth waits a few times the median."""

PEAK = 10
"""How many times busier the busiest hour is than the average one: an assumption."""

PRICES = {1: 45.0, 3: 45.0 * 3 + 90.0}
"""Dollars a month, an assumption: a machine of two cores and 4 GB; several of them with a managed PostgreSQL and Redis."""

HOURS = 730.0


def text(results: Mapping[str, Any]) -> str:
    """The figures and what follows from them."""
    ours = results["rounds"]["ours"]
    turns = results["traffic"]["turns"]

    def median(key: str) -> float:
        return statistics.median(figures[key] for figures in ours)

    top = median("throughput_warm")
    rows = [
        (
            f"{machines} machine{'s' if machines > 1 else ''}",
            f"{top * machines:,.0f}",
            f"{top * SHARE * machines:,.0f}",
            f"{top * SHARE * machines * 3600 / turns:,.0f}",
            f"{monthly(top, turns, machines):,.0f}",
            f"{price:,.0f} dollars",
            f"{price / monthly(top, turns, machines) * 1000:.2f} dollars",
        )
        for machines, price in PRICES.items()
    ]
    return "\n\n".join(
        [
            f"Measured on {results['date']}, {results['machine']}, with the load generator on the same machine and a one-minute "
            f"load of {min(results['load_before_each']):g} to {max(results['load_before_each']):g} before the measurements: "
            f"{top:,.0f} messages a second of 16 visitors, {median('processor_warm') * 1000:.1f} ms of processor time a message, "
            f"{median('memory') / 2**20:,.0f} MB for all processes, {median('database') / 1000:,.0f} kB of database for 1,000 "
            "messages.",
            table(
                (
                    "",
                    "messages a second at most",
                    "at half of that",
                    "conversations in the busiest hour",
                    "conversations a month",
                    "price a month",
                    "1,000 conversations",
                ),
                rows,
            ),
            f"A conversation has {turns} messages. A month is {PEAK} times quieter than its busiest hour.",
        ]
    )


def monthly(top: float, turns: int, machines: int = 1) -> float:
    """Conversations of a month whose busiest hour takes half of the top throughput."""
    return top * SHARE * machines * 3600 / turns * HOURS / PEAK


def write(results: Mapping[str, Any], path: Path = PAGE) -> None:
    """Writes the section of the page."""
    if "ours" in results["rounds"]:
        write_section("figures", text(results), path)
