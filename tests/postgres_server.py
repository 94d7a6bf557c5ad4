"""A PostgreSQL server of its own for tests that take it away: it hangs, dies and comes back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from types import TracebackType
from typing import Any

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

    def fill(self) -> None:
        """It keeps nothing more that is written, and says what PostgreSQL says when its disk is full."""
        with self._asked() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
            )
            for table in self._tables(cursor):
                cursor.execute(
                    f'CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON "{table}" EXECUTE FUNCTION full_disk()'
                )

    def make_room(self) -> None:
        """It keeps again what is written."""
        with self._asked() as cursor:
            for table in self._tables(cursor):
                cursor.execute(f'DROP TRIGGER full_disk ON "{table}"')

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """One transaction of ours."""
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            yield cursor

    @staticmethod
    def _tables(cursor: Any) -> list[str]:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return [name for (name,) in cursor.fetchall()]

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
