"""`make bench-understanding`: this project's pipeline beside `rasa init`'s, trained on the same examples in the same run."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from benchmarks import machine, stock
from benchmarks.figures import reliability
from benchmarks.understanding import readings, report
from benchmarks.understanding.clinc import Fitted
from benchmarks.understanding.folds import main_figures
from benchmarks.understanding.replies import Replies
from benchmarks.understanding.systems import Ours, Stock, System

NLU = Path("data/nlu.yml")
SETS = {"samples": Path("tests/data/samples"), "validation": Path("tests/data/validation")}


def main(arguments: Sequence[str]) -> int:
    """Measures and writes."""
    options = _options(arguments)
    if options.clinc and not options.clinc.is_file():
        print(
            f"There is no file {options.clinc}: give --clinc the path of clinc42.json, or leave it out.",
            file=sys.stderr,
        )
        return 1
    environment = stock.Environment(options.python)
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        results = _measured(options, folder.absolute(), environment)
    print(report.text(results))
    if not options.quick:
        report.write(results)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot bench-understanding", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="no cross-validation; the result is only printed"
    )
    parser.add_argument(
        "--few", type=int, default=stock.FEW, help="examples of a topic for both pipelines; 0: all, for hours"
    )
    parser.add_argument("--epochs", type=int, default=stock.EPOCHS, help="passes of Rasa's neural components")
    parser.add_argument("--clinc", type=Path, help="clinc42.json: 42 intents of CLINC150, measured too")
    parser.add_argument(
        "--python", type=Path, help="a Python that has Rasa's defaults; else .venv-bench is made"
    )
    parser.add_argument("--folder", type=Path, help="where to work and leave what was trained")
    return parser.parse_args(arguments)


def _measured(options: argparse.Namespace, folder: Path, environment: stock.Environment) -> dict[str, Any]:
    started = datetime.now(timezone.utc)
    few = stock.write_few(folder / "few.yml", NLU, options.few) if options.few else NLU
    trained: list[tuple[str, System, Path]] = [
        (f"this project, {options.few or 'all'} a topic", Ours(folder / "ours-few"), few),
        (
            f"Rasa's defaults, {options.few or 'all'} a topic",
            Stock(folder / "stock", environment=environment, epochs=options.epochs),
            few,
        ),
    ]
    if options.few:
        trained.insert(0, ("this project, all examples", Ours(folder / "ours"), NLU))
    replies = Replies.of_this_project()
    results: dict[str, Any] = {
        "date": f"{started:%Y-%m-%d %H:%M} UTC",
        "machine": machine.description(),
        "load": round(machine.load(), 1),
        "epochs": options.epochs,
        "examples": [sum(len(texts) for _, texts in stock.intents(nlu)) for nlu in (NLU, few)],
        "systems": {},
    }
    for name, system, nlu in trained:
        say(f"{name}: training ...")
        system.train(nlu)
        found = {part: _figures(system, path, replies) for part, path in SETS.items()}
        results["systems"][name] = {
            **found,
            "training": system.training,
            "memory": system.memory,
            "latency": readings.latency(system.seconds),
        }
    if options.clinc:
        say("CLINC150, 42 intents ...")
        results["clinc"] = _clinc(options.clinc, folder, environment)
    if not options.quick:
        say("Five folds of the training examples ...")
        results["folds"] = main_figures(NLU)
    return results


def _figures(system: System, folder: Path, replies: Replies) -> dict[str, Any]:
    """The figures of one set."""
    questions, oos, multi = (_items(folder / f"{name}.yml") for name in ("questions", "oos", "multi"))
    of_questions, of_oos, of_multi = (
        system.read([i["text"] for i in items]) for items in (questions, oos, multi)
    )
    result = readings.judged(questions, of_questions, replies.meet, system.asks)
    known = [
        one for item, one in zip(questions, of_questions, strict=True) if item["topic"] != "out_of_scope"
    ]
    unknown = [one for item, one in zip(oos, of_oos, strict=True) if not item.get("also_ok")]
    right = [
        replies.meet(one.topic, [item["topic"], *item.get("also", ())])
        for item, one in zip(questions, of_questions, strict=True)
    ] + [replies.meet(one.topic, item.get("also_ok", ())) for item, one in zip(oos, of_oos, strict=True)]
    taken = [*of_questions, *of_oos]
    refused = readings.refused(oos, of_oos, replies.meet)
    return {
        "questions": {
            verdict: result.share(verdict) for verdict in ("right", "asking", "don't know", "wrong")
        },
        "by_topic": {
            topic: counts["right"] / sum(counts.values()) for topic, counts in result.by_topic.items()
        },
        "confused": [[*pair, count] for pair, count in result.confused.most_common(12)],
        "refused": refused,
        "wrong": (result.verdicts["wrong"] + (1 - refused["all"]) * len(oos)) / (len(questions) + len(oos)),
        "several": readings.several(multi, of_multi, replies.meet),
        **readings.separation(known, unknown),
        "ece": readings.calibration(taken, right),
        "reliability": reliability([one.known for one in taken], right),
        "messages": [len(questions), len(oos), len(multi)],
    }


def _clinc(path: Path, folder: Path, environment: stock.Environment) -> dict[str, Any]:
    data = json.loads(path.read_text(encoding="utf-8"))
    nlu = stock.write_examples(folder / "clinc.yml", data["train"])
    results = {}
    for system in (Ours(folder / "clinc-ours"), Stock(folder / "clinc-stock", environment=environment)):
        system.train(nlu)
        inside, outside = system.read([text for text, _ in data["test"]]), system.read(data["oos_test"])
        right = sum(one.topic == intent for one, (_, intent) in zip(inside, data["test"], strict=True))
        if isinstance(system, Ours):
            certainty = Fitted.on(data["train"], data["oos_validation"])
            inside, outside = certainty.applied(inside), certainty.applied(outside)
        results[system.name] = {
            "accuracy": right / len(inside),
            **readings.separation(inside, outside),
            "training": system.training,
        }
    return results


def _items(path: Path) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return items


def say(text: str) -> None:
    """Tells the person at the terminal how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
