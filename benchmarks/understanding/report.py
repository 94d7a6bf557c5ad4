"""The results of `make bench-understanding` in words, tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.sections import table, write_section

RELIABILITY = Path("benchmarks/reliability.svg")
TOPICS = Path("benchmarks/topics.svg")
Results = Mapping[str, Any]


def text(results: Results) -> str:
    """Everything in words and tables."""
    systems = results["systems"]
    parts = [
        "## Understanding: `make bench-understanding`",
        f"{results['date']}, {results['machine']}, one-minute load {results['load']:g}. Rasa's defaults are the pipeline of "
        f"`rasa init`, trained on {results['examples'][1]:,} of the {results['examples'][0]:,} examples, with {results['epochs']} "
        "passes (100 is its default; over all examples they take hours on two cores), and this project's on the same ones and "
        "on all. The samples and the validation set are in nobody's training data; our thresholds were chosen on the "
        "validation set. A reply counts by what a visitor reads; wrong is a confident answer to something else.",
    ]
    parts += [_table_of(name, systems) for name in ("samples", "validation")]
    parts.append(_cost(systems))
    parts.append("![How sure it is, and how often it is right](reliability.svg)")
    if "clinc" in results:
        scores = [
            (
                name,
                f"{one['accuracy']:.3f}",
                f"{one['auroc']:.3f}",
                f"{one['fpr95']:.3f}",
                f"{one['training']:.0f} s",
            )
            for name, one in results["clinc"].items()
        ]
        parts.append(
            "CLINC150, 42 intents with 25 examples each, 1,260 messages in scope and 1,000 out of scope, without any example "
            "out of scope in training (how sure ours is was fitted on the 100 of its validation set):\n\n"
            + table(("", "accuracy", "AUROC", "FPR95", "training"), scores)
        )
    if "folds" in results:
        folds = results["folds"]
        rows = [(topic, found, str(count)) for topic, found, count in folds["confused"]]
        parts.append(
            f"Five-fold cross-validation of our classifier on {folds['examples']:,} examples: {folds['accuracy']:.1%} of the "
            "likeliest topics are the example's own (Rasa's defaults are left out: five trainings of them take half a day). Most "
            "often confused:\n\n" + table(("topic", "taken for", "examples"), rows)
        )
        parts.append("![Accuracy by topic](topics.svg)")
    for name, one in systems.items():
        rows = [(topic, found, str(count)) for topic, found, count in one["samples"]["confused"]]
        parts.append(
            f"Wrong answers of {name} on the samples:\n\n" + table(("asked", "answered", "times"), rows)
        )
    return "\n\n".join(parts)


def _table_of(name: str, systems: Mapping[str, Any]) -> str:
    found = [one[name] for one in systems.values()]
    questions, oos, multi = found[0]["messages"]
    rows: list[tuple[str, ...]] = [
        (f"questions ({questions}): {verdict}", *(f"{one['questions'][verdict]:.1%}" for one in found))
        for verdict in ("right", "asking", "don't know", "wrong")
    ]
    for kind in found[0]["refused"]:
        title = f"out of scope ({oos}): not answered" if kind == "all" else f"- {kind.replace('_', ' ')}"
        rows.append((title, *(f"{one['refused'][kind]:.1%}" for one in found)))
    rows += [
        ("wrong answers, of all", *(f"{one['wrong']:.1%}" for one in found)),
        (
            f"several questions ({multi}): every one answered",
            *(f"{one['several']['every']:.1%}" for one in found),
        ),
        ("- one at least", *(f"{one['several']['one']:.1%}" for one in found)),
        ("known or not: AUROC", *(f"{one['auroc']:.3f}" for one in found)),
        ("known or not: FPR95", *(f"{one['fpr95']:.3f}" for one in found)),
        ("calibration error (ECE)", *(f"{one['ece']:.3f}" for one in found)),
    ]
    return table((name, *systems), rows)


def _cost(systems: Mapping[str, Any]) -> str:
    rows = [
        ("a message, median", *(f"{one['latency']['median'] * 1000:.1f} ms" for one in systems.values())),
        ("a message, p99", *(f"{one['latency']['p99'] * 1000:.1f} ms" for one in systems.values())),
        ("training", *(f"{one['training']:.0f} s" for one in systems.values())),
        ("memory of the reading process", *(f"{one['memory'] / 2**20:,.0f} MB" for one in systems.values())),
    ]
    return table(("understanding alone", *systems), rows)


def write(results: Results) -> None:
    """Writes the section of README.md and its plots."""
    write_section("understanding", text(results))
    draw_reliability(results)
    if "folds" in results:
        draw_topics(results["folds"]["by_topic"])


def draw_reliability(results: Results, path: Path = RELIABILITY) -> None:
    """How sure against how often right, on both sets; the size of a dot tells of how many messages."""
    from benchmarks.plots import figure, save

    systems = results["systems"]
    drawing, axes = figure(columns=len(systems), width=6.4, height=3.0)
    for axis, (name, found) in zip(axes, systems.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="#b8c4c2", linewidth=1)
        for part, colour in (("samples", "#0f766e"), ("validation", "#d97706")):
            rows = found[part]["reliability"]
            axis.plot(
                [row[0] for row in rows], [row[1] for row in rows], color=colour, linewidth=1, label=part
            )
            axis.scatter(
                [row[0] for row in rows], [row[1] for row in rows], [row[2] / 4 for row in rows], color=colour
            )
        axis.set(title=name, xlabel="how sure", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
        axis.legend(frameon=False, loc="upper left")
    save(drawing, path)


def draw_topics(by_topic: Mapping[str, float], path: Path = TOPICS) -> None:
    """Accuracy of each topic in cross-validation."""
    from benchmarks.plots import figure, save

    ordered = sorted(by_topic.items(), key=lambda pair: pair[1])
    drawing, (axis,) = figure(width=6.4, height=len(ordered) * 0.16 + 0.6)
    axis.barh([name for name, _ in ordered], [share for _, share in ordered], color="#0f766e")
    axis.set(xlim=(min(0.5, ordered[0][1]), 1.0), title="accuracy by topic, five folds")
    axis.margins(y=0.01)
    save(drawing, path)
