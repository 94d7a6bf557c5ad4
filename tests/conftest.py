"""What several tests need: free ports, settings of no machine, the whole assistant, really running."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from benchmarks.browser import launch_options
from bot.serving import standin
from bot.settings import PREFIX, Settings, load_settings
from bot.store.store import Store
from tests.doubles.meta_thread import MetaThread, meta_in_thread
from tests.private import leaks
from tests.site import Site

standin.install()  # Rasa is imported by tests of components, channels and stores

# The same inputs in every run: what passes here passes in CI. HYPOTHESIS_PROFILE=explore tries new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "violet harbour lantern"
"""That of the admin, once the first one is changed."""


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nothing uses now, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def environment(**settings: object) -> dict[str, str]:
    """An environment with these settings and every other at its default, whatever `.env` says."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    defaults = {PREFIX + field.name.upper(): "" for field in fields(Settings)}
    return {
        **others,
        **defaults,
        **{PREFIX + name.upper(): str(value) for name, value in settings.items()},
    }


@dataclass(frozen=True)
class System:
    """A running assistant: where it listens, where it keeps its data, the process to which signals go."""

    chat_url: str
    actions_url: str
    staff_url: str
    first_password: str  # of the first admin, as `make run` prints it
    data_dir: Path
    database_url: str
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def say(self, text: str, sender: str = "visitor") -> list[dict[str, Any]]:
        """The replies on the REST channel."""
        body = json.dumps({"sender": sender, "message": text}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.chat_url}/webhooks/rest/webhook", body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--docs-images", action="store_true", help="keep the screenshots as docs/images")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A web site that the assistant's chat is allowed on."""
    with Site.open() as site:
        yield site


@pytest.fixture(scope="session")
def meta() -> Iterator[MetaThread]:
    """Meta, with a Page that the assistant is connected to."""
    with meta_in_thread() as meta:
        yield meta


@contextmanager
def running(data_dir: Path, **settings: object) -> Iterator[System]:
    """The assistant as `make run` starts it, on free ports and with an empty database.

    The model is the project's own, in `models/`: trained when what it is made from has changed.
    """
    chat, actions, staff = free_ports(3)
    variables = environment(
        chat_port=chat, actions_port=actions, staff_port=staff, data_dir=data_dir, **settings
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True
    )
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if "Ctrl-C stops it" in line:
            break
    else:
        process.wait()
        logs = [path.read_text()[-2000:] for path in sorted((data_dir / "log").glob("*.log"))]
        pytest.fail("The assistant didn't start:\n" + "".join([*said, *logs]))
    system = System(
        chat_url=f"http://127.0.0.1:{chat}",
        actions_url=f"http://127.0.0.1:{actions}",
        staff_url=f"http://127.0.0.1:{staff}",
        first_password=next((line.split()[-1] for line in said if "with the password" in line), ""),
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir / 'milia.db'}",
        environment=variables,
        process=process,
    )
    yield system
    process.terminate()
    process.stderr.read()
    assert process.wait(30) == 0
    process.stderr.close()
    store = Store(f"sqlite:///{data_dir / 'milia.db'}")
    logs = (data_dir / "log").glob("*.log*")
    passwords = filter(None, [system.first_password, PASSWORD])
    assert leaks(load_settings(variables, data_dir / ".env"), store, logs, *passwords) == []
    store.close()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, site: Site, meta: MetaThread) -> Iterator[System]:
    """The running assistant that most tests share."""
    folder = tmp_path_factory.mktemp("system") / "data"
    with running(folder, allowed_origins=site.url, **meta.settings) as system:
        meta.connect(system.chat_url)
        yield system


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The browser that the machine has."""
    return {**browser_type_launch_args, **launch_options()}
