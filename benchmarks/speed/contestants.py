"""The servers that are measured: Rasa's defaults with two tracker stores, this project, and a bare handler."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from benchmarks.stock import QUIET, ROOT, clean_environment

PATIENCE = 900.0
"""Seconds that a server may take to start."""


class Contestant(ABC):
    """A server in a process group of its own.

    name: its key in the results. title: what readers call it. visitors: how it is spoken to (visitors.py).
    messages: how many it is sent to measure its throughput. age: turns of the conversation that grows old.
    conversations: the table of its database that holds them.
    """

    name: str
    title: str
    visitors = "rest"
    messages = 200
    age = 200
    conversations = "events"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        """What is run, where, and with which settings besides the environment's."""

    def start(self) -> float:
        """Starts it; seconds until a message was answered."""
        words, where, settings = self.command()
        path = self.folder / f"{self.name}.log"
        started = time.perf_counter()
        with path.open("ab") as log:
            self._process = subprocess.Popen(
                words,
                cwd=where,
                env={**clean_environment(), **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - started > PATIENCE:
                raise SystemExit(f"{self.title} did not start: see {path}.")
            time.sleep(0.02)
        return time.perf_counter() - started

    def _answers(self) -> bool:
        """Whether it answers; Rasa's defaults may do so without a word, when they are in doubt."""
        body = b'{"sender": "first", "message": "hello"}'
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/webhooks/rest/webhook", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return isinstance(json.load(answer), list)
        except (urllib.error.URLError, OSError, ValueError):
            return False

    def stop(self) -> None:
        """Asks it to stop, and its children with it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None

    def memory(self) -> int:
        """Bytes of resident memory of all its processes together."""
        assert self._process is not None
        return sum(size for _, size in family(self._process.pid))

    def processor_seconds(self) -> float:
        """Processor time that all its processes together have used."""
        assert self._process is not None
        return sum(seconds_of(pid) for pid, _ in family(self._process.pid))

    def database(self) -> Path | None:
        """Its database file."""
        return None

    def database_bytes(self) -> tuple[int, int]:
        """Bytes of its conversations, with their indexes; and of the whole database."""
        path = self.database()
        if path is None or not path.is_file():
            return 0, 0
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            size = connection.execute("PRAGMA page_size").fetchone()[0]
            of_conversations = connection.execute(
                "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name IN"
                " (SELECT name FROM sqlite_master WHERE tbl_name = ?)",
                (self.conversations,),
            ).fetchone()[0]
        return int(of_conversations), int(pages) * int(size)


class Stock(Contestant):
    """`rasa run` with the pipeline and policies of `rasa init`, trained on this project's data (benchmarks/stock.py)."""

    def __init__(self, folder: Path, python: Path, project: Path) -> None:
        super().__init__(folder)
        self._python = python
        self._project = project
        (self.folder / "endpoints.yml").write_text(self.endpoints())

    def endpoints(self) -> str:
        """Its endpoints.yml."""
        return ""

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        words = [str(self._python), "-m", "rasa", "run", "--port", str(self.port), "--interface", "127.0.0.1"]
        words += ["--endpoints", str(self.folder / "endpoints.yml")]
        return words, self._project, QUIET


class StockInMemory(Stock):
    """With the default tracker store: everything is lost at a restart."""

    name = "rasa_memory"
    title = "Rasa's defaults, in memory"


class StockSql(Stock):
    """With Rasa's own SQL tracker store, on SQLite."""

    name = "rasa_sql"
    title = "Rasa's defaults, SQL tracker store"

    def endpoints(self) -> str:
        return f"tracker_store:\n  type: SQL\n  dialect: sqlite\n  db: {self.database()}\n"

    def database(self) -> Path:
        return self.folder / "rasa.db"


class Ours(Contestant):
    """This project as `make run` serves it: all its processes, the website's channel with its checks, the durable store."""

    name = "ours"
    title = "this project"
    visitors = "website"
    messages = 1000
    age = 2000
    conversations = "conversation_turns"

    def __init__(self, folder: Path, models: Path) -> None:
        super().__init__(folder)
        self._models = models

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        # `make run` sets up first; where that was done by other means, what it runs is run by itself.
        made = (ROOT / ".venv" / "installed.json").is_file()
        return ["make", "run"] if made else [sys.executable, "-m", "bot", "run"], ROOT, self.settings()

    def settings(self) -> dict[str, str]:
        """A data folder and ports of its own. One visitor may go on for long, and each has an address of their own."""
        values: dict[str, Any] = {
            "MODE": "development",
            "DATA_DIR": self.folder / "data",
            "MODELS_DIR": self._models,
            "CHAT_PORT": self.port,
            "ACTIONS_PORT": free_port(),
            "STAFF_PORT": free_port(),
            "PROXIES": 1,
            "SESSION_RATE": 1_000_000,
            "ADDRESS_RATE": 1_000_000,
        }
        return {f"MILIA_{name}": str(value) for name, value in values.items()}

    def database(self) -> Path:
        return self.folder / "data" / "milia.db"


class Floor(Contestant):
    """A bare Sanic handler: what any server of this kind costs before it does anything."""

    name = "floor"
    title = "a bare handler"
    visitors = "floor"
    messages = 2000
    age = 0

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        return [sys.executable, "-m", "benchmarks.speed.floor", str(self.port)], ROOT, {}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> list[tuple[int, int]]:
    """A process and all below it: process id and resident bytes."""
    lines = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
    ).stdout
    rows = [tuple(map(int, line.split())) for line in lines.splitlines()]
    members = {pid}
    while grown := {child for child, parent, _ in rows if parent in members} - members:
        members |= grown
    return [(child, size * 1024) for child, _, size in rows if child in members]


def seconds_of(pid: int) -> float:
    """Processor time of a process; 0 where the system doesn't tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
