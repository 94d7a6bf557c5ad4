"""Works on one publish run: `python -m bot publish`, a process of its own that staff's pages never wait for.

It may be killed at any moment: the database holds how far it came, only the last step changes what visitors
get, and another process starts the run again when its lease has run out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot import logs
from bot.clinic import load_clinic
from bot.examples import delivered_examples
from bot.model import new_id
from bot.model_inputs import digest_of_inputs
from bot.publishing.candidate import problems
from bot.publishing.children import Child, ChildError, Judge
from bot.publishing.gate import Question, compare, golden, settled
from bot.release_model import LostLease, Outcome, PublishRun, Release, Report, RunState
from bot.settings import Settings
from bot.store.plain import from_plain, to_plain
from bot.store.publish_runs import LEASE
from bot.store.staff_store import StaffStore
from bot.store.store import StoreUnavailable
from bot.topics import load_topics

logger = logging.getLogger(__name__)

NAME = "candidate"
_RENEW_EVERY = LEASE.total_seconds() / 5
_PATIENCE = 60.0  # seconds that a step waits for a database that is away
_UNCHANGED = "Nothing has changed."


class _Ended(Exception):
    """The run ends here, in this state, for this reason."""

    def __init__(self, state: RunState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Runner:
    """One process's work on publish runs."""

    def __init__(self, store: StaffStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._owner = f"{socket.gethostname()[:24]}-{os.getpid()}-{new_id()[:8]}"
        self._folder = settings.data_dir / "publishing"
        self._log = settings.data_dir / "log" / "publish.log"

    def work(self) -> PublishRun | None:
        """Works on the run that waits until it has ended; None when there is none."""
        run = self._store.take_run(self._owner)
        if run is None:
            return None
        with self._lease(run), self._scratch(run) as folder, contextlib.suppress(LostLease):
            try:
                _Work(self._store, self._settings, run, self._owner, folder, self._log).go()
            except _Ended as end:
                self._end(run, end.state, end.reason)
            except LostLease:
                raise
            except Exception as error:
                logger.exception("Publishing failed.")
                self._end(run, RunState.FAILED, f"Something went wrong ({_told(error)}). {_UNCHANGED}")
            self._store.drop_archives(self._settings.releases_kept)
        return self._store.a_run(run.id)

    def _end(self, run: PublishRun, state: RunState, reason: str) -> None:
        patiently(lambda: self._store.end_run(run.id, self._owner, state, reason))

    @contextlib.contextmanager
    def _lease(self, run: PublishRun) -> Iterator[None]:
        """Says again and again that this process is still there; ends it when the run is not its any more."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(_RENEW_EVERY):
                try:
                    self._store.renew_run(run.id, self._owner)
                except StoreUnavailable:
                    continue
                except LostLease:
                    if not done.is_set():
                        os.kill(os.getpid(), signal.SIGKILL)  # with all that it started

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @contextlib.contextmanager
    def _scratch(self, run: PublishRun) -> Iterator[Path]:
        """A folder for this run; what former ones left behind goes."""
        shutil.rmtree(self._folder, ignore_errors=True)
        folder = self._folder / f"{run.id}-{run.attempts}"
        folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class _Work:
    """The steps of one run."""

    def __init__(
        self, store: StaffStore, settings: Settings, run: PublishRun, owner: str, folder: Path, log: Path
    ) -> None:
        self._store = store
        self._settings = settings
        self._run = run
        self._owner = owner
        self._folder = folder
        self._log = log
        self._seconds: dict[str, float] = {}
        self._step = RunState.QUEUED
        self._since = time.monotonic()

    def go(self) -> None:
        self._enter(RunState.VALIDATING)
        baseline = self._check()
        questions = (*golden(), *settled(self._store.resolved_questions()))
        known = self._remembered(baseline)
        new = [question for question in questions if question.key not in known]
        with Judge(self._log) as judge, self._trainer() as trainer:
            if new:  # on the other processor, while the candidate is trained
                judge.start_loading("live", self._unpacked(baseline))
            archive = self._trained(trainer)
            self._enter(RunState.TESTING)
            if new:
                judge.loaded()
                known.update(self._asked(judge, "live", new, "the live release"))
            candidate = self._stored(archive, baseline)
            judge.load(NAME, archive)
            found = self._asked(judge, NAME, questions, "the candidate")
        self._store.remember_outcomes(baseline.id, known)
        self._store.remember_outcomes(candidate.id, found)
        self._decide(compare(questions, known, found))

    # ------------------------------------------------------------ steps

    def _check(self) -> Release:
        """The release to compare with, when a model can be made at all."""
        run = self._run
        if digest_of_inputs(Path.cwd()) != run.inputs:
            raise _Ended(
                RunState.FAILED,
                f"The program's own files changed. {_UNCHANGED} Restart the assistant, then publish again.",
            )
        topics = load_topics(load_clinic(self._settings.clinic_file))
        found = problems(run.decisions, delivered_examples(), {one.intent: one.title for one in topics.all()})
        if found:
            raise _Ended(RunState.REFUSED, "\n".join(found))
        live = self._store.live_release(run.inputs)
        if live is None and run.baseline:
            return self._store.a_release(run.baseline)
        if live is None:
            raise _Ended(RunState.FAILED, f"There is no live release to compare with. {_UNCHANGED}")
        return live

    def _trainer(self) -> Child:
        decisions = self._folder / "decisions.json"
        decisions.write_text(json.dumps(to_plain(self._run.decisions)), encoding="utf-8")
        environment = {"MILIA_DECISIONS_FILE": str(decisions.absolute())}
        folder = str(self._folder.absolute())
        return Child("bot.serving.trainer", folder, NAME, log=self._log, environment=environment)

    def _trained(self, trainer: Child) -> Path:
        while said := trainer.hear():
            if said["step"] == "training":
                self._enter(RunState.TRAINING)
            elif said["step"] == "invalid":
                raise _Ended(RunState.REFUSED, f"Examples and topics don't fit together; see {self._log}.")
        archive = self._folder / f"{NAME}.tar.gz"
        if trainer.wait() != 0 or not archive.is_file():
            raise _Ended(RunState.FAILED, f"The training failed; {self._log} says why. {_UNCHANGED}")
        return archive

    def _stored(self, archive: Path, baseline: Release) -> Release:
        run = self._run
        made = Release(
            run.inputs,
            sha256(archive),
            archive.stat().st_size,
            run.decisions,
            run.changes,
            run.kind,
            run.wanted_by,
        )
        self._store.add_release(made, archive)
        self._move(release_id=made.id, baseline=baseline.id)
        return made

    def _decide(self, report: Report) -> None:
        self._clock()
        number = len(report.refusals)
        state, reason = RunState.LIVE, ""
        if number and self._run.kind == "staff":
            state = RunState.REFUSED
            reason = (
                f"{number} question{' is' if number == 1 else 's are'} answered worse than now. {_UNCHANGED}"
            )
        elif self._run.hold:
            state = RunState.READY
        values = {"report": report, "seconds": self._seconds, "progress": ""}
        patiently(lambda: self._store.end_run(self._run.id, self._owner, state, reason, **values))

    # ------------------------------------------------------------ questions

    def _remembered(self, baseline: Release) -> dict[str, Outcome]:
        kept = self._store.outcomes(baseline.id)
        return {key: from_plain(Outcome, outcome) for key, outcome in kept.items()}

    def _asked(self, judge: Judge, name: str, questions: Any, told: str) -> dict[str, Outcome]:
        asked: list[Question] = list(questions)

        def progress(done: int) -> None:
            self._move(progress=f"Asked {told} {done} of {len(asked)} questions")

        found = judge.outcomes(name, [question.text for question in asked], progress)
        return {
            question.key: from_plain(Outcome, outcome) for question, outcome in zip(asked, found, strict=True)
        }

    def _unpacked(self, release: Release) -> Path:
        """The archive of a release, whole, as a file."""
        path = self._folder / "live.tar.gz"
        with path.open("wb") as file:
            for piece in self._store.archive(release.id):
                file.write(piece)
        if sha256(path) != release.digest:
            raise _Ended(RunState.FAILED, f"The live release's model is damaged. {_UNCHANGED}")
        return path

    # ------------------------------------------------------------ the run's row

    def _enter(self, state: RunState) -> None:
        self._clock()
        self._step = state
        self._move(state=state, progress="", seconds=self._seconds)

    def _clock(self) -> None:
        now = time.monotonic()
        if self._step is not RunState.QUEUED:
            self._seconds[self._step.value] = round(now - self._since, 1)
        self._since = now

    def _move(self, **values: Any) -> None:
        patiently(lambda: self._store.move_run(self._run.id, self._owner, **values))


def patiently(write: Callable[[], None]) -> None:
    """Writes as soon as the database can be used again."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return write()
        except StoreUnavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def sha256(path: Path) -> str:
    """A file's digest, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, ChildError) else type(error).__name__


def seconds_told(seconds: Mapping[str, float]) -> str:
    """Where the time went, on one line."""
    steps = ", ".join(f"{step} {number:.1f} s" for step, number in seconds.items())
    return f"{steps}; {sum(seconds.values()):.1f} s altogether"


def main(settings: Settings) -> int:
    """Work on the run that waits; prints how it ended and where the time went."""
    logs.set_up("publish", settings.log_level, settings.log_format)
    store = StaffStore(settings.store_url)
    run = Runner(store, settings).work()
    if run is None:
        sys.stdout.write("Nothing waits to be published.\n")
        return 0
    told = f" ({seconds_told(run.seconds)})" if run.seconds else ""
    sys.stdout.write("\n".join(line for line in (f"{run.state.value}{told}", run.reason) if line) + "\n")
    return 0 if run.state in (RunState.LIVE, RunState.READY) else 1
