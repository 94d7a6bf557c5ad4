"""Runs the servers as child processes: starts them, waits until they answer, restarts and ends them.

Each child has a process group of its own, so that Ctrl-C in a terminal reaches this process alone, and dies
with this process (on Linux), however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import logging.handlers
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.processes import dies_with_parent

LOG_BYTES = 5_000_000
LOG_FILES = 3
GRACE = 10.0
"""Seconds that a child has to end by itself before it is killed."""

_WORTH_SHOWING = re.compile(r'\b(WARNING|ERROR|CRITICAL)\b|"level": "(warning|error|critical)"')
_LONGEST_LINE = 65536


@dataclass(frozen=True)
class Service:
    """A server to run. It is healthy when `GET http://host:port/health` is answered with 200.

    title: how people are told about it. patience: seconds that it may take to become healthy.
    """

    name: str
    title: str
    command: Sequence[str]
    host: str
    port: int
    health: str = "/health"
    patience: float = 180.0


@dataclass(frozen=True)
class Policy:
    """When a dead child is started again, and when no more.

    pauses: seconds before the first, second ... restart; the last one is used from there on.
    settled: seconds after which a child counts as having run, so that the pauses begin anew.
    deaths: how often in a row it may die before that. deaths_at_start: the same when it never was healthy.
    """

    pauses: Sequence[float] = (0.5, 1, 2, 5, 10, 30)
    settled: float = 30.0
    deaths: int = 5
    deaths_at_start: int = 2


class GaveUp(Exception):
    """A child can't be kept running. The message says which one and why, as far as it is known."""


class Supervisor:
    """Keeps services running until SIGINT, SIGTERM or SIGHUP.

    logs: folder for `<name>.log`. announce: tells the person at the terminal something.
    on_ready: called once, when every service is healthy.
    """

    def __init__(
        self,
        services: Sequence[Service],
        logs: Path,
        announce: Callable[[str], None],
        on_ready: Callable[[], None],
        policy: Policy | None = None,
    ) -> None:
        self._announce = announce
        self._on_ready = on_ready
        self._children = [Child(service, logs, announce, policy or Policy()) for service in services]

    async def run(self) -> int:
        """The exit status: 0 when told to stop, 1 when a service can't be kept running."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        stopped = asyncio.ensure_future(stop.wait())
        keepers = [asyncio.ensure_future(child.keep()) for child in self._children]
        ready = asyncio.ensure_future(self._all_healthy())
        try:
            await asyncio.wait([stopped, ready, *keepers], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                self._on_ready()
                await asyncio.wait([stopped, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for keeper in keepers:
                if keeper.done():
                    keeper.result()
            self._announce("Stopping ...")
            return 0
        except GaveUp as reason:
            self._announce(str(reason))
            return 1
        finally:
            for task in (stopped, ready, *keepers):
                task.cancel()
            await asyncio.gather(stopped, ready, *keepers, return_exceptions=True)
            stop.clear()  # a second Ctrl-C kills at once
            hurried: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
            await asyncio.gather(*(child.end(hurried) for child in self._children))
            hurried.cancel()

    async def _all_healthy(self) -> None:
        for child in self._children:
            await child.healthy.wait()


class Child:
    """One service's process, and the next one when it dies."""

    def __init__(self, service: Service, logs: Path, announce: Callable[[str], None], policy: Policy) -> None:
        self.healthy = asyncio.Event()
        self._service = service
        self._policy = policy
        self._announce = announce
        self._path = logs / f"{service.name}.log"
        self._log = _open_log(self._path)
        self._last = deque[str](maxlen=1)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Start it, and again whenever it has died.

        Raises:
            GaveUp: it died too often, or didn't become healthy in time.
        """
        deaths = 0
        title = self._service.title
        while True:
            started = time.monotonic()
            process = await self._start()
            await self._until_healthy(process)
            status = await process.wait()
            self._kill_group()
            if self._reader:
                await self._reader
            deaths = 1 if time.monotonic() - started >= self._policy.settled else deaths + 1
            how = f"signal {-status}" if status < 0 else f"status {status}"
            was_up = self.healthy.is_set()
            if deaths >= (self._policy.deaths if was_up else self._policy.deaths_at_start):
                said = f" It said: {self._last[0]}" if self._last else ""
                times = f"{deaths} times in a row" if was_up else "while starting"
                raise GaveUp(f"The {title} ended {times} ({how}).{said} See {self._path}.")
            pause = self._policy.pauses[min(deaths, len(self._policy.pauses)) - 1]
            if was_up:
                self._announce(f"The {title} ended ({how}); starting it again. See {self._path}.")
            await asyncio.sleep(pause)

    async def end(self, hurried: asyncio.Future[Any]) -> None:
        """End it and all it started: asked first, killed after a while or when somebody is in a hurry."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            ended: asyncio.Future[Any] = asyncio.ensure_future(process.wait())
            await asyncio.wait([ended, hurried], timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
            self._kill_group()
            await ended
        self._kill_group()
        if self._reader:
            await self._reader
        for handler in self._log.handlers[:]:
            self._log.removeHandler(handler)
            handler.close()

    async def _start(self) -> asyncio.subprocess.Process:
        self._last.clear()
        self._process = await asyncio.create_subprocess_exec(
            *self._service.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        self._reader = asyncio.ensure_future(self._read(self._process))
        self._log.info("--- process %s", self._process.pid)
        return self._process

    async def _until_healthy(self, process: asyncio.subprocess.Process) -> None:
        end = time.monotonic() + self._service.patience
        pause = 0.05
        while process.returncode is None:
            if await asyncio.to_thread(answers, self._service.host, self._service.port, self._service.health):
                self.healthy.set()
                return
            if time.monotonic() > end:
                waited = f"{self._service.patience:g} seconds"
                raise GaveUp(f"The {self._service.title} didn't answer within {waited}. See {self._path}.")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(process.wait()), pause)
            pause = min(pause * 1.5, 0.5)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 -- started with a pipe
        rest = b""
        while chunk := await process.stdout.read(_LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._line(line)
        if rest:
            self._line(rest)

    def _line(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").rstrip()
        if not line:
            return
        self._last.append(line)
        self._log.info("%s", line)
        if _WORTH_SHOWING.search(line):
            self._announce(f"{self._service.name}: {line}")

    def _kill_group(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def answers(host: str, port: int, path: str, timeout: float = 2.0) -> bool:
    """Whether a server at an address it listens on answers `GET path` with 200."""
    reachable = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- not bound to
    connection = http.client.HTTPConnection(reachable, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _open_log(path: Path) -> logging.Logger:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.Logger(str(path), logging.INFO)  # not of the root's tree: nobody else's handlers
    log.addHandler(handler)
    return log
