"""The two systems that are compared: trained on the same examples, read by processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks import stock
from benchmarks.stock import ROOT, clean_environment
from benchmarks.understanding.readings import Taken


@dataclass
class System(ABC):
    """One of the two, trained on one training file in a folder of its own.

    asks: whether `nlu_fallback` offers a choice. training, memory: seconds and bytes, when they are known.
    """

    folder: Path
    name = ""
    asks = False
    training: float = 0.0
    memory: float = 0.0
    seconds: list[float] = field(default_factory=list)

    @abstractmethod
    def train(self, nlu: Path) -> None:
        """Trains on these examples."""

    @abstractmethod
    def _reader(self) -> list[str]:
        """The command that reads texts."""

    def read(self, texts: Sequence[str]) -> list[Taken]:
        """What each text is taken for."""
        done = subprocess.run(
            self._reader(),
            cwd=ROOT,
            env={**clean_environment(), **stock.QUIET},
            input=json.dumps(list(texts)),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{self.name} could not read the texts:\n{done.stderr[-2000:]}")
        answer = json.loads(done.stdout.splitlines()[-1])
        self.memory = answer["memory"]
        self.seconds += [row["seconds"] for row in answer["rows"]]
        return [
            Taken(
                row["intent"],
                row["topic"],
                row["known"],
                tuple(row["clauses"]),
                tuple(row.get("measures", ())),
            )
            for row in answer["rows"]
        ]

    def _model(self) -> str:
        return str(max((self.folder / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime))


@dataclass
class Ours(System):
    """This project's pipeline."""

    name = "this project"
    asks = True

    def train(self, nlu: Path) -> None:
        write_nlu_project(self.folder, nlu)
        shutil.copy(ROOT / "config.yml", self.folder / "config.yml")
        settings = {
            "PYTHONPATH": str(ROOT),
            "MILIA_BUILD_DIR": str(ROOT / "build"),
            "MILIA_DATA_DIR": str(self.folder / "var"),
            "RASA_MAX_CACHE_SIZE": "0",
        }
        command = [sys.executable, "-m", "bot", "rasa", "train", "nlu", "--nlu", "data/nlu.yml"]
        self.training = stock.timed(command, self.folder, settings)

    def _reader(self) -> list[str]:
        return [sys.executable, "-m", "benchmarks.understanding.read_ours", self._model()]


@dataclass
class Stock(System):
    """The pipeline of `rasa init`. epochs: passes over the data, of 100 by default."""

    name = "Rasa's defaults"
    environment: stock.Environment | None = None
    epochs: int = stock.EPOCHS

    def train(self, nlu: Path) -> None:
        assert self.environment is not None
        write_nlu_project(self.folder, nlu)
        config = stock.default_config(self.environment, self.epochs)
        (self.folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        command = [str(self.environment.python), "-m", "rasa", "train", "nlu", "--nlu", "data/nlu.yml"]
        self.training = stock.timed(command, self.folder, stock.QUIET)

    def _reader(self) -> list[str]:
        assert self.environment is not None
        return [str(self.environment.python), "benchmarks/understanding/read_stock.py", self._model()]


def write_nlu_project(folder: Path, nlu: Path) -> None:
    """The examples, and a domain with their intents and a response for each."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    shutil.copy(nlu, folder / "data" / "nlu.yml")
    names = [name for name, _ in stock.intents(nlu)]
    domain = {
        "version": "3.1",
        "intents": list(dict.fromkeys(name.partition("/")[0] for name in names)),
        "responses": {f"utter_{name}": [{"text": name}] for name in names},
    }
    (folder / "domain.yml").write_text(yaml.safe_dump(domain, sort_keys=False))
