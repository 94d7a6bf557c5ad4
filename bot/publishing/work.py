"""Sees to it that somebody works on the publish run that waits: starts a process for it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading

from bot.processes import dies_with_parent
from bot.settings import Settings
from bot.store.staff_store import StaffStore
from bot.store.store import StoreUnavailable

logger = logging.getLogger(__name__)

EVERY = 1.0


class PublishWork:
    """A thread of the staff app. Several staff apps may have one: a run belongs to one process.

    When this process ends, however it does, the run's process ends too; a staff app takes the run up again.
    """

    def __init__(self, store: StaffStore, settings: Settings) -> None:
        self._store = store
        self._log = settings.data_dir / "log" / "publish.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publish-work", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and the process if there is one."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.look()
            except StoreUnavailable as error:
                logger.info("Publishing has to wait: the database can't be used (%s).", error)
            except Exception:
                logger.exception("Publishing could not be started.")

    def look(self) -> None:
        """Starts a process when a run waits, or was lost, and none of ours is at work."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = None
        if self._store.is_run_waiting():
            self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bot", "publish"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
