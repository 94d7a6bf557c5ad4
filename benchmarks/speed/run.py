"""`make bench`: everything in one run on one machine, in alternating order, into results.json and README.md."""

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

from benchmarks import machine, stock
from benchmarks.speed import report, sameness, scale
from benchmarks.speed.contestants import Contestant, Floor, Ours, StockInMemory, StockSql
from benchmarks.speed.measures import Figures, Round
from benchmarks.speed.traffic import MIX, REPEATS, TURNS

NLU = Path("data/nlu.yml")
RESULTS = Path("benchmarks/results.json")


def main(arguments: Sequence[str]) -> int:
    """Measures and writes; 1 when a target is missed."""
    options = _options(arguments)
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        results = _measured(options, folder.absolute())
    if not options.quick:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        report.write(results)
        scale.write(results)
    print(report.text(results))
    return 0 if report.all_met(results) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, which is only printed")
    parser.add_argument("--scale", type=float, help="of the numbers of messages; 1, or 0.2 with --quick")
    parser.add_argument("--rounds", type=int, help="rounds of all servers; 3, or 1 with --quick")
    parser.add_argument("--epochs", type=int, default=stock.EPOCHS, help="passes of Rasa's neural components")
    parser.add_argument(
        "--few",
        type=int,
        default=stock.FEW,
        help="examples of a topic for Rasa's defaults; 0: all, for hours",
    )
    parser.add_argument(
        "--python", type=Path, help="a Python that has Rasa's defaults; else .venv-bench is made"
    )
    parser.add_argument(
        "--folder", type=Path, help="where to work and leave what was trained, for the next time"
    )
    parser.add_argument("--only", nargs="*", help="servers to measure: rasa_memory rasa_sql ours floor")
    return parser.parse_args(arguments)


def _measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    started = datetime.now(timezone.utc)
    environment = stock.Environment(options.python)
    training = _trained(options, folder, environment)
    figures: dict[str, list[Figures]] = {}
    loads = []
    for number in range(options.rounds or (1 if options.quick else 3)):
        contestants: list[Contestant] = [
            StockInMemory(folder / f"{number}", environment.python, folder / "rasa"),
            StockSql(folder / f"{number}", environment.python, folder / "rasa"),
            Ours(folder / f"{number}", folder / "ours" / "models"),
            Floor(folder / f"{number}"),
        ]
        for contestant in contestants if number % 2 == 0 else contestants[::-1]:
            if not options.only or contestant.name in options.only:
                say(f"Round {number + 1}: {contestant.title} ...")
                loads.append(machine.load())
                figures.setdefault(contestant.name, []).append(
                    Round(contestant, options.scale or (0.2 if options.quick else 1.0)).measure()
                )
    say("The same questions with Rasa's own parts in the place of this project's faster ones ...")
    return {
        "date": f"{started:%Y-%m-%d %H:%M} UTC",
        "machine": machine.description(),
        "load_before_each": [round(load, 1) for load in loads],
        "traffic": {"mix": MIX, "repeats": REPEATS, "turns": TURNS},
        "epochs": options.epochs,
        "few": options.few,
        "training": training,
        "accuracy": sameness.compared(folder / "ours" / "models"),
        "rounds": figures,
    }


def _trained(options: argparse.Namespace, folder: Path, environment: stock.Environment) -> dict[str, float]:
    """Seconds of training; what an earlier run with the same folder has trained is taken as it is."""
    kept = folder / "training.json"
    if kept.is_file():
        known: dict[str, float] = json.loads(kept.read_text())
        return known
    say("Training this project's model ...")
    ours = stock.train_ours(folder / "ours")
    say(f"Training Rasa's defaults, {options.few or 'all'} examples a topic, {options.epochs} passes ...")
    nlu = stock.write_few(folder / "few.yml", NLU, options.few) if options.few else NLU
    project = stock.write_project(folder / "rasa", environment, nlu, options.epochs)
    training = {"ours": ours, "rasa": environment.train(project)}
    kept.write_text(json.dumps(training))
    return training


def say(text: str) -> None:
    """Tells the person at the terminal how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
