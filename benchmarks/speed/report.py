"""The results of `make bench` in words, as a table for README.md, and as a plot."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import median_ratio
from benchmarks.sections import table, write_section

PLOT = Path("benchmarks/speed.svg")
TITLES = {
    "rasa_memory": "Rasa's defaults, in memory",
    "rasa_sql": "Rasa's defaults, SQL store",
    "ours": "this project",
    "floor": "bare handler",
}
Results = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """A row of the table. figure: key in the rounds, or what works the result out. limit, aim: at least or at most."""

    title: str
    result: Callable[[Results], float]
    limit: float | None
    aim: float | None
    at_least: bool = False
    shown: str = "{:.2f}"

    def met(self, value: float, wanted: float | None) -> bool:
        """Whether a value is as good as wanted."""
        return wanted is None or (value >= wanted if self.at_least else value <= wanted)


def of(name: str, key: str, results: Results) -> list[float]:
    """A figure of a server in each round."""
    return [figures[key] for figures in results["rounds"].get(name, ()) if key in figures]


def against(key: str, other: str = "rasa_sql") -> Callable[[Results], float]:
    """The median over the rounds of ours to the other's."""
    return lambda results: median_ratio(of("ours", key, results), of(other, key, results))


def within(key: str, other_key: str) -> Callable[[Results], float]:
    """The median over the rounds of one of our figures to another."""
    return lambda results: median_ratio(of("ours", key, results), of("ours", other_key, results))


GOALS = (
    Goal("messages a second, 16 visitors, cold caches", against("throughput_cold"), 8, 15, True, "{:.1f}x"),
    Goal("messages a second, 16 visitors, warm caches", against("throughput_warm"), 8, 15, True, "{:.1f}x"),
    Goal("median latency of one visitor, new texts", against("median"), 1 / 6, 1 / 9, shown="{:.3f}"),
    Goal("the same, against the bare handler", against("median", "floor"), None, 10, shown="{:.1f}x"),
    Goal("one visitor, texts asked before", against("median_repeated"), 1 / 6, 1 / 9, shown="{:.3f}"),
    Goal("p99 / median at half of the top throughput", within("half_p99", "half_median"), 4, 4),
    Goal("turn 2,000 of one conversation / turn 2", within("old", "young"), 1.3, 1.3),
    Goal("memory of all processes, idle after warm-up", against("memory"), 0.6, 0.45),
    Goal("start to the first answer", against("start"), 1, 0.5),
    Goal("training", lambda results: results["training"]["ours"] / results["training"]["rasa"], 0.25, 0.25, shown="{:.3f}"),
    Goal("stored conversations per 1,000 messages", against("conversations"), 1 / 3, 1 / 3),
    Goal(
        "samples understood as by Rasa's own, slower parts",
        lambda results: results["accuracy"]["same"] / results["accuracy"]["messages"],
        1,
        1,
        True,
        "{:.1%}",
    ),
)  # fmt: skip

_FIGURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("messages a second, 16 visitors, cold", "throughput_cold", "{:,.0f}".format),
    ("the same, warm", "throughput_warm", "{:,.0f}".format),
    ("answered", "answered", "{:.1%}".format),
    ("processor time a message, warm", "processor_warm", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("median, one visitor, new texts", "median", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("median, one visitor, texts asked before", "median_repeated", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("half load: median", "half_median", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("half load: p99", "half_p99", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("turn 2", "young", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("old conversation", "old", lambda seconds: f"{seconds * 1000:.1f} ms"),
    ("its turn", "old_turn", "{:,.0f}".format),
    ("memory", "memory", lambda size: f"{size / 2**20:,.0f} MB"),
    ("start", "start", lambda seconds: f"{seconds:.1f} s"),
    ("stored conversations, 1,000 messages", "conversations", lambda size: f"{size / 1000:,.0f} kB"),
    ("whole database, 1,000 messages *", "database", lambda size: f"{size / 1000:,.0f} kB"),
)  # fmt: skip


def rows(results: Results) -> list[tuple[Goal, float]]:
    """Every goal that the results have figures for."""
    found = []
    for goal in GOALS:
        try:
            found.append((goal, goal.result(results)))
        except (statistics.StatisticsError, KeyError, ValueError):  # a server was left out
            continue
    return found


def all_met(results: Results) -> bool:
    """Whether every first target holds."""
    return all(goal.met(value, goal.limit) for goal, value in rows(results))


def text(results: Results) -> str:
    """Everything in words and two tables."""
    traffic = results["traffic"]
    training = results["training"]
    rounds = max((len(some) for some in results["rounds"].values()), default=0)
    loads = results["load_before_each"]
    return "\n\n".join(
        [
            "## Speed: `make bench`",
            f"{results['date']}, {results['machine']}. Medians of {rounds} rounds, servers in alternating order, one load "
            f"generator on the same machine; a one-minute load of {min(loads, default=0):g} to {max(loads, default=0):g} "
            "before the measurements. Ratios are the result; absolute times depend on the machine.",
            f"The messages are the same for all: conversations of {traffic['turns']} messages, {traffic['repeats']:.0%} of them "
            "said before word for word, the others new: "
            + ", ".join(f"{share:.0%} {kind}" for kind, share in traffic["mix"].items())
            + ". Cold is the first load after a start; warm is the next one, of other new messages. This project is what "
            "`make run` starts: chat server, action server, staff app and supervisor, the website's channel with its checks, "
            "every message committed before its reply is acknowledged. Rasa's defaults have the pipeline and policies of "
            "`rasa init`, Rasa's REST channel, and this project's examples and answers; no staff app, no actions.",
            table(
                ("this project to Rasa's defaults, SQL store", "measured", "target", "aim"), _goals(results)
            ),
            table(("", *(TITLES[name] for name in results["rounds"])), _absolute(results)),
            "\\* Rasa's holds conversations and nothing else; this project's also what becomes of each message (for the charts), "
            "unanswered questions with what was said before them, their groups and hand-overs.",
            f"Training: {training['ours']:.0f} s here with all examples, whose vectors are remembered; Rasa's defaults {training['rasa']:.0f} s with "
            f"{results['few'] or 'all'} of each topic's and {results['epochs']} passes.",
            "Where the time goes, what was tried and what stands in the way: [docs/profile.md](../docs/profile.md).",
            f"![Speed and size]({PLOT.name})",
        ]
    )


def _goals(results: Results) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for goal, value in rows(results):
        sign = "at least " if goal.at_least else "at most "
        wanted = [
            ""
            if one is None
            else f"{sign}{goal.shown.format(one)}{'' if goal.met(value, one) else ': missed'}"
            for one in (goal.limit, goal.aim)
        ]
        lines.append((goal.title, f"**{goal.shown.format(value)}**", *wanted))
    return lines


def _absolute(results: Results) -> list[tuple[str, ...]]:
    lines = []
    for title, key, shown in _FIGURES:
        values = [of(name, key, results) for name in results["rounds"]]
        if any(values):
            lines.append((title, *(shown(statistics.median(some)) if some else "" for some in values)))
    return lines


def write(results: Results) -> None:
    """Writes the section of README.md and its plot."""
    write_section("speed", text(results))
    draw(results)


def draw(results: Results, path: Path = PLOT) -> None:
    """Four figures of each server, side by side."""
    from benchmarks.plots import figure, save

    shown = [
        ("throughput_warm", "messages a second\n16 visitors, warm", 1),
        ("median", "median of one visitor, ms", 1000),
        ("memory", "memory of all processes, MB", 1 / 2**20),
        ("start", "start to first answer, s", 1),
    ]
    names = [name for name in ("rasa_memory", "rasa_sql", "ours") if of(name, "median", results)]
    drawing, axes = figure(columns=len(shown))
    for axis, (key, title, factor) in zip(axes, shown, strict=True):
        values = [statistics.median(of(name, key, results)) * factor for name in names]
        colours = ["#0f766e" if name == "ours" else "#b8c4c2" for name in names]
        bars = axis.barh([TITLES[name] for name in names], values, color=colours)
        axis.bar_label(bars, fmt="%.0f" if max(values) > 20 else "%.1f", padding=3)
        axis.set_title(title, fontsize=9)
        axis.set_xlim(0, max(values) * 1.25)
        axis.set_xticks([])
        axis.invert_yaxis()
        if axis is not axes[0]:
            axis.set_yticks([])
    save(drawing, path)
