"""A small trained project and the servers that run on it: these tests need nothing else of the repository."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from bot.serving.standin import install

install()

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def environment(**settings: str) -> dict[str, str]:
    """A clean environment for a process of this project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MILIA_")}
    return {**kept, "PYTHONPATH": str(ROOT), "MILIA_UNDERSTANDING_PROCESSES": "0", **settings}


def rasa(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Rasa's command line in `project`."""
    command = [sys.executable, "-m", "bot.serving.rasa_cli", *arguments]
    return subprocess.run(
        command, cwd=project, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )


_held: list[socket.socket] = []


def free_port() -> int:
    """A port that refuses connections and that nobody but our own servers takes until the tests end."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that a server may listen there
    held.bind(("127.0.0.1", 0))
    _held.append(held)
    return int(held.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def _release_ports() -> Iterator[None]:
    yield
    while _held:
        _held.pop().close()


@contextmanager
def running(module: str, folder: Path, port_setting: str, **settings: str) -> Iterator[str]:
    """A server of this project as a process of its own, from its first healthy answer on; gives its URL."""
    port = free_port()
    env = environment(**{port_setting: str(port)}, **settings)
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=folder, env=env, stderr=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            assert process.poll() is None, process.stderr and process.stderr.read()
            try:
                requests.get(f"{url}/health", timeout=5).raise_for_status()
                break
            except requests.ConnectionError:
                assert time.monotonic() < until, "not healthy within a minute"
                time.sleep(0.05)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=20)[1]
        assert process.returncode == 0, errors


def refusal(module: str, folder: Path, **settings: str) -> str:
    """What a server says on stderr that must not start."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, (done.returncode, done.stderr)
    return done.stderr


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, trained once. Not to be changed."""
    folder = tmp_path_factory.mktemp("small") / "project"
    shutil.copytree(HERE / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    done = rasa(folder, "train", "--quiet", "--fixed-model-name", "small")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained project, to be changed at will."""
    return Path(shutil.copytree(trained, tmp_path / "project", ignore=shutil.ignore_patterns(".rasa")))
