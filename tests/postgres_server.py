"""A PostgreSQL server of its own for tests that take it away: it hangs, dies and comes back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

import psutil
import psycopg2

from tests.store.conftest import new_postgres_database, start_postgres

PATIENCE = 60.0


class PostgresServer:
    """Runs while it is entered."""

    def __enter__(self) -> PostgresServer:
        self._server = start_postgres()
        self.url = new_postgres_database(self._server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.go_on()
        self._server.cleanup()

    def hang(self) -> None:
        """It takes connections and never answers."""
        self._each(psutil.Process.suspend)

    def go_on(self) -> None:
        self._each(psutil.Process.resume)

    def kill(self) -> None:
        """As a power cut would. Returns when nothing of it is left."""
        psutil.wait_procs(self._each(psutil.Process.kill), timeout=20)

    def start(self) -> None:
        """Returns when it has recovered what was committed, which on a busy machine takes long."""
        with suppress(subprocess.SubprocessError):  # it is not waited for long enough, but goes on starting
            self._server.ensure_postgres_running()
        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg2.connect(self.url).close()
                break
            except psycopg2.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        self._server.ensure_postgres_running()

    def _each(self, do: Callable[[psutil.Process], None]) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(self._server.get_pid())
            processes = [postmaster, *postmaster.children(recursive=True)]
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    do(process)
            return processes
        return []
