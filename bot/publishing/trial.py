"""Try it: the same question to the candidate and to the live release, before anybody else gets to it."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path

from bot.publishing.children import ChildError, Judge
from bot.release_model import Outcome, PublishError
from bot.settings import Settings
from bot.store.plain import from_plain
from bot.store.staff_store import StaffStore

IDLE = 300.0
"""Seconds without a question after which the models are put away."""


class Trial:
    """Two models in one process, kept while somebody asks them."""

    def __init__(self, store: StaffStore, settings: Settings) -> None:
        self._store = store
        self._folder = settings.data_dir / "trial"
        self._log = settings.data_dir / "log" / "trial.log"
        self._judge: Judge | None = None
        self._models: tuple[str, str] = ("", "")
        self._idle: threading.Timer | None = None
        self._turn = threading.Lock()

    def ask(self, live: str, candidate: str, text: str) -> tuple[Outcome, Outcome]:
        """What the release and the candidate, by their ids, do with a question. The first takes some seconds.

        Raises:
            PublishError: they can't be asked.
        """
        with self._turn:
            try:
                judge = self._loaded(live, candidate)
                found = [judge.outcomes(name, [text])[0] for name in ("live", "candidate")]
            except (ChildError, OSError) as error:
                self._put_away()
                raise PublishError(f"The models can't be asked just now: {error}.") from error
            self._wait()
            return from_plain(Outcome, found[0]), from_plain(Outcome, found[1])

    def stop(self) -> None:
        """Puts the models away."""
        with self._turn:
            self._put_away()

    def _loaded(self, live: str, candidate: str) -> Judge:
        if self._judge and self._models == (live, candidate) and self._judge.child.is_alive:
            return self._judge
        self._put_away()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._judge = judge = Judge(self._log)
        for name, release_id in (("live", live), ("candidate", candidate)):
            judge.load(name, self._unpacked(name, release_id))
        self._models = (live, candidate)
        return judge

    def _unpacked(self, name: str, release_id: str) -> Path:
        path = self._folder / f"{name}.tar.gz"
        with path.open("wb") as file:
            for piece in self._store.archive(release_id):
                file.write(piece)
        if not path.stat().st_size:
            raise PublishError("That candidate is not kept any more.")
        return path.absolute()

    def _wait(self) -> None:
        if self._idle:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE, self.stop)
        self._idle.daemon = True
        self._idle.start()

    def _put_away(self) -> None:
        if self._idle:
            self._idle.cancel()
        if self._judge:
            self._judge.child.kill()
        self._judge = None
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder)
