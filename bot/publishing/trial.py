"""Try it: the same conversation with the candidate and the live release, before any visitor gets to it."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from bot.publishing.children import ChildError, Rehearsal
from bot.release_model import PublishError, RehearsedTurn
from bot.settings import Settings
from bot.store.plain import from_plain
from bot.store.staff_store import StaffStore

IDLE = 300.0
"""Seconds without a message after which the models are put away."""

Turns = list[RehearsedTurn]


class Trial:
    """Two models in one process, kept while somebody talks with them.

    Conversations are not kept: whoever has one sends all of it with each message. So it goes on where it was
    after the models were put away, and on any server; and nothing of it can be left behind.
    """

    def __init__(self, store: StaffStore, settings: Settings) -> None:
        self._store = store
        self._folder = settings.data_dir / "trial"
        self._log = settings.data_dir / "log" / "trial.log"
        self._rehearsal: Rehearsal | None = None
        self._models: tuple[str, str] = ("", "")
        self._idle: threading.Timer | None = None
        self._turn = threading.Lock()

    def talk(self, live: str, candidate: str, sent: Sequence[str]) -> tuple[Turns, Turns]:
        """A whole conversation with the release and the candidate, by their ids. The first takes seconds.

        sent: what was typed, or the payload of a button that one of them offered.

        Raises:
            PublishError: they can't be talked with.
        """
        with self._turn:
            try:
                rehearsal = self._loaded(live, candidate)
                found = [rehearsal.turns(name, sent) for name in ("live", "candidate")]
            except (ChildError, OSError) as error:
                self._put_away()
                raise PublishError(f"The models can't be asked just now: {error}.") from error
            self._wait()
        first, second = ([from_plain(RehearsedTurn, turn) for turn in turns] for turns in found)
        return first, second

    def stop(self) -> None:
        """Puts the models away."""
        with self._turn:
            self._put_away()

    def _loaded(self, live: str, candidate: str) -> Rehearsal:
        if self._rehearsal and self._models == (live, candidate) and self._rehearsal.child.is_alive:
            return self._rehearsal
        self._put_away()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        archives = {name: self._unpacked(name, of) for name, of in (("live", live), ("candidate", candidate))}
        self._rehearsal = rehearsal = Rehearsal(self._log)
        for name, archive in archives.items():
            rehearsal.load(name, archive)
        self._models = (live, candidate)
        return rehearsal

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
        if self._rehearsal:
            self._rehearsal.child.kill()
        self._rehearsal, self._models = None, ("", "")
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder)
