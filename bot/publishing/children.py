"""Processes that work for this one and say in lines of JSON what they found. They die with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bot.processes import dies_with_parent

NICE = 10
"""Visitors come first: training and testing take what they leave of the processors."""


class ChildError(Exception):
    """A child ended, or said that it could not do what it was asked for."""


class Child:
    """`python -m MODULE ...` in the project's folder. Its stderr goes to `log`."""

    def __init__(
        self, module: str, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        dies = dies_with_parent(signal.SIGKILL)

        def before() -> None:
            os.nice(NICE)
            if dies:
                dies()

        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **(environment or {})},
                preexec_fn=before,
            )
        self._log = log

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def hear(self) -> dict[str, Any] | None:
        """What it says next; None when it has ended."""
        assert self._process.stdout  # noqa: S101 -- it is a pipe
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            return None
        said: dict[str, Any] = json.loads(line)
        return said

    def wait(self) -> int:
        """Its exit status."""
        return self._process.wait()

    def ask(self, **question: Any) -> None:
        """Tells it what to do; what it answers is heard later."""
        assert self._process.stdin  # noqa: S101 -- it is a pipe
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise ChildError(f"it has ended; see {self._log}") from error


M = TypeVar("M", bound="Models")


class Models:
    """A process that loads models and says something of them. Subclasses say what."""

    MODULE: str

    def __init__(self, log: Path) -> None:
        self.child = Child(self.MODULE, log=log)

    def __enter__(self: M) -> M:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()

    def load(self, name: str, archive: Path) -> None:
        """Loads a model under a name."""
        self.start_loading(name, archive)
        self.loaded()

    def start_loading(self, name: str, archive: Path) -> None:
        """Begins to load; `loaded` waits for the end of it."""
        self.child.ask(load=str(archive), **{"as": name})

    def loaded(self) -> None:
        self._answer("loaded")

    def _answer(self, wanted: str, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
        while said := self.child.hear():
            if wanted in said:
                return said
            if "error" in said:
                raise ChildError(said["error"])
            if progress and "done" in said:
                progress(said["done"])
        raise ChildError("the process that asks the questions ended")


class Judge(Models):
    """Asks models what they do with questions (bot/serving/judge.py)."""

    MODULE = "bot.serving.judge"

    def outcomes(
        self, name: str, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> list[dict[str, Any]]:
        """What a model does with each of these questions, as plain values of `Outcome`."""
        if not texts:
            return []
        self.child.ask(ask=list(texts), of=name)
        found: list[dict[str, Any]] = self._answer("outcomes", progress)["outcomes"]
        return found


class Rehearsal(Models):
    """Has conversations with models (bot/serving/rehearse.py)."""

    MODULE = "bot.serving.rehearse"

    def turns(self, name: str, sent: Sequence[str]) -> list[dict[str, Any]]:
        """A whole conversation with a model, as plain values of `RehearsedTurn`."""
        self.child.ask(say=list(sent), to=name)
        found: list[dict[str, Any]] = self._answer("turns")["turns"]
        return found
