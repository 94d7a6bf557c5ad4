"""Rasa as `rasa init` gives it: its own environment with TensorFlow, its starter assistant, trained."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.contestants import ROOT, clean_environment

sys.path.insert(0, str(ROOT))
import bootstrap

LOCK = "requirements-bench.txt"


@dataclass(frozen=True)
class BenchCheckout(bootstrap.Checkout):
    """The same checkout, set up for Rasa's defaults beside the project's own environment."""

    @property
    def venv(self) -> Path:
        return self.root / ".venv-bench"

    def requirements(self, dev: bool) -> Path:
        return self.root / LOCK


def python() -> Path:
    """The Python of `.venv-bench`, which is made when it isn't there."""
    checkout = BenchCheckout(ROOT)
    try:
        with bootstrap.locked(checkout):
            if not bootstrap.is_installed(checkout, dev=False):
                bootstrap.install(checkout, dev=False)
    except bootstrap.SetupError as error:
        raise SystemExit(str(error)) from None
    return checkout.python


def starter_project(interpreter: Path, folder: Path) -> Path:
    """A fresh copy of the assistant that `rasa init` makes."""
    code = "import rasa, pathlib; print(pathlib.Path(rasa.__file__).parent)"
    found = subprocess.run(
        [interpreter, "-c", code], capture_output=True, text=True, check=True, env=clean_environment()
    )
    project = folder / "starter"
    if project.exists():
        shutil.rmtree(project)
    shutil.copytree(Path(found.stdout.strip()) / "cli" / "initial_project", project)
    return project


def train(interpreter: Path, project: Path) -> float:
    """Trains it from nothing; seconds."""
    shutil.rmtree(project / "models", ignore_errors=True)
    return timed(
        [str(interpreter), "-m", "rasa", "train", "--force"], project, {"RASA_TELEMETRY_ENABLED": "false"}
    )


def train_ours(folder: Path) -> float:
    """Trains this project's model on its own data, as `make train` does; seconds."""
    settings = {
        "MILIA_DATA_DIR": str(folder / "training"),
        "MILIA_MODELS_DIR": str(folder / "training" / "models"),
    }
    return timed([sys.executable, "-m", "bot", "train", "--force"], ROOT, settings)


def train_ours_on_starter(project: Path, folder: Path) -> float:
    """Trains this project's pipeline and policies on the starter assistant's data; seconds."""
    copy = folder / "ours-on-starter"
    if copy.exists():
        shutil.rmtree(copy)
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("models", ".rasa", "tests", "actions"))
    shutil.copy(ROOT / "config.yml", copy / "config.yml")
    settings = {
        "PYTHONPATH": str(ROOT),
        "MILIA_BUILD_DIR": str(ROOT / "build"),
        "MILIA_DATA_DIR": str(copy / "var"),
    }
    # Our one policy works on rules: the starter's three stories say the same as its rules would.
    for stories in (copy / "data").glob("stories.yml"):
        stories.unlink()
    return timed(
        [sys.executable, "-m", "bot", "rasa", "train", "--force", "--skip-validation"], copy, settings
    )


def timed(command: list[str], where: Path, settings: dict[str, str]) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=where,
        env={**clean_environment(), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started
