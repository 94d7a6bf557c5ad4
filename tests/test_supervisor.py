"""Real processes: what dies is started again, what is stopped leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVER = str(ROOT / "tests/programs/small_server.py")
PATIENCE = 20.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(port: int, path: str = "/health") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        return response.read().decode()


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it didn't happen in time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent to notice has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def group_of(pid: int) -> list[int]:
    """The processes of a group that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, *services: list[str]) -> None:
        self.logs = folder / "log"
        words = [word for service in services for word in ("--", *service)][1:]
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/programs/supervise.py"), str(self.logs), *words],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.said: list[str] = []

    def hear(self, text: str) -> str:
        """The next line with this text."""
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if text in line:
                return line.rstrip()
        raise AssertionError(f"it never said {text!r}, but {self.said}")

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(*services: list[str]) -> Supervised:
        started.append(Supervised(tmp_path, *services))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()


def server(name: str, *habits: str) -> tuple[list[str], int]:
    port = free_port()
    return [name, str(port), sys.executable, SERVER, str(port), *habits], port


def test_it_says_when_all_are_ready_and_stops_all_on_ctrl_c(supervise):
    (one, one_port), (two, two_port) = server("one"), server("two")
    running = supervise(one, two)
    running.hear("all ready")
    pids = [int(get(port)) for port in (one_port, two_port)]
    assert running.stop(signal.SIGINT) == 0
    assert all(map(is_gone, pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_stops_in_order_when_asked_in_another_way(supervise, number):
    service, port = server("one")
    running = supervise(service)
    running.hear("all ready")
    pid = int(get(port))
    assert running.stop(number) == 0
    assert is_gone(pid)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's death"
)
def test_its_own_sudden_death_leaves_no_orphan(supervise):
    service, port = server("one", "stubborn")
    running = supervise(service)
    running.hear("all ready")
    pid = int(get(port))
    running.stop(signal.SIGKILL)
    until(lambda: is_gone(pid))


def test_a_second_ctrl_c_kills_what_will_not_end(supervise):
    service, port = server("one", "stubborn")
    running = supervise(service)
    running.hear("all ready")
    pid = int(get(port))
    running.process.send_signal(signal.SIGINT)
    running.hear("Stopping")
    assert not is_gone(pid)
    started = time.monotonic()
    until(lambda: running.process.send_signal(signal.SIGINT) or running.process.poll() is not None)
    assert time.monotonic() - started < 5
    assert is_gone(pid)


def test_what_a_child_started_ends_with_it(supervise):
    service, port = server("one", "parent")
    running = supervise(service)
    running.hear("all ready")
    pid = int(get(port))
    until(lambda: "grandchild" in running.log("one"))
    assert len(group_of(pid)) == 2
    running.stop()
    assert group_of(pid) == []


def test_a_dead_child_is_started_again(supervise):
    service, port = server("one")
    running = supervise(service)
    running.hear("all ready")
    pid = int(get(port))
    os.kill(pid, signal.SIGKILL)
    assert "one server ended (signal 9)" in running.hear("starting it again")
    until(lambda: _answers_as_another(port, pid))
    assert running.stop() == 0


def _answers_as_another(port: int, pid: int) -> bool:
    with contextlib.suppress(OSError):
        return int(get(port)) != pid
    return False


def test_it_gives_up_on_a_child_that_keeps_dying(supervise):
    (one, port), (two, two_port) = server("one"), server("two")
    running = supervise(one, two)
    running.hear("all ready")
    other = int(get(two_port))
    # On a busy machine it may stay up long enough in between for the count to begin anew: as often as it takes.
    while running.process.poll() is None:
        until(lambda: _die(port) or running.process.poll() is not None)
    sentence = running.hear("times in a row")
    assert sentence.startswith("The one server ended 4 times in a row (status 3). It said: I was told to die")
    assert str(running.logs / "one.log") in sentence
    assert running.process.wait(PATIENCE) == 1
    assert is_gone(other)


def _die(port: int) -> bool:
    """Whether the server was there to be told."""
    try:
        get(port, "/die")
    except ConnectionRefusedError:
        return False
    except OSError as error:
        return not isinstance(getattr(error, "reason", None), ConnectionRefusedError)
    return True


def test_one_that_can_not_start_says_why(supervise):
    command = [sys.executable, "-c", "import sys; sys.exit('The port is made of cheese.')"]
    running = supervise(["one", str(free_port()), *command])
    assert "ended while starting (status 1). It said: The port is made of cheese." in running.hear("ended")
    assert running.process.wait(PATIENCE) == 1


def test_all_goes_to_the_log_and_only_warnings_to_the_terminal(supervise):
    service, _ = server("one", "warns")
    running = supervise(service)
    running.hear("all ready")
    running.stop()
    running.said += running.process.stdout.read().splitlines()
    assert "one: 2026-01-01 WARNING something odd" in running.said
    assert not any("ordinary" in line for line in running.said)
    log = running.log("one")
    assert "an ordinary line" in log
    assert log.count("x" * 60_000) >= 3  # cut, not lost, and reading went on
    assert "pid " in log
