"""Trains the model when there is none, or when something that it is made from has changed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.model_inputs import digest_of_inputs
from bot.model_stamp import read_stamp, write_stamp
from bot.settings import Settings

KEPT = 3
"""How many models trained here are kept: the latest one, and a way back."""


class TrainingError(Exception):
    """The model could not be trained. The message says where the details are."""


def ensure_model(settings: Settings, announce: Callable[[str], None], force: bool = False) -> bool:
    """Train unless the model of the current inputs is there; returns whether it trained.

    Raises:
        TrainingError: training failed. The models that were there stay.
    """
    root = Path.cwd()
    models = settings.models_dir
    models.mkdir(parents=True, exist_ok=True)
    with _locked(models / ".lock", announce):
        inputs = digest_of_inputs(root)
        if not force and _trained(models) == inputs:
            return False
        announce("Training the model (about a minute, once) ...")
        name = f"milia-{inputs[:12]}"
        _train(models, name, settings.data_dir / "log" / "train.log")
        write_stamp(models, inputs, f"{name}.tar.gz")
        _drop_old(models)
    return True


def trained_model(models: Path) -> Path | None:
    """The archive of the model that was trained last; None when there is none."""
    name = read_stamp(models).get("model")
    path = models / name if name else None
    return path if path and path.is_file() else None


def _trained(models: Path) -> str:
    """The digest of what the latest model was made from; empty when there is none."""
    return read_stamp(models).get("inputs", "") if trained_model(models) else ""


def _train(models: Path, name: str, log: Path) -> None:
    scratch = models / ".training"
    shutil.rmtree(scratch, ignore_errors=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bot", "rasa", "train", "--force"]
    command += ["--skip-validation", "--domain", "domain.yml", "--data", "data", "--config", "config.yml"]
    command += ["--out", str(scratch), "--fixed-model-name", name]
    # Rasa's cache knows a component's own source, but not the modules that it uses: train all of it anew.
    environment = {**os.environ, "RASA_MAX_CACHE_SIZE": "0", "MILIA_DECISIONS_FILE": ""}
    try:
        with log.open("w") as output:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )
        trained = scratch / f"{name}.tar.gz"
        if done.returncode != 0 or not trained.is_file():
            raise TrainingError(f"The model could not be trained; {log} says why.")
        os.replace(trained, models / trained.name)  # whole or not at all; servers load the newest
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _drop_old(models: Path) -> None:
    for path in sorted(models.glob("milia-*.tar.gz"), key=lambda path: path.stat().st_ctime)[:-KEPT]:
        path.unlink()


@contextlib.contextmanager
def _locked(path: Path, announce: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce("Waiting for another training to finish ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
