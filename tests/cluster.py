"""Several chat servers behind a reverse proxy, as real processes: one PostgreSQL, one Redis, no sticky sessions."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bot.settings import Settings, load_settings
from bot.store.store import Store
from bot.supervisor import answers
from tests.conftest import ROOT, environment, free_ports
from tests.private import leaks
from tests.redis_server import RedisServer

PATIENCE = 60.0


class ChatServer:
    """`python -m bot serve`, which can be ended in every way and started again at the same address."""

    command = "serve"
    port_setting = "MILIA_CHAT_PORT"

    def __init__(self, variables: dict[str, str], port: int, log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._variables = {**variables, self.port_setting: str(port)}
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Starts it; `wait` returns when it answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "bot", self.command]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._variables, stdout=log, stderr=log)

    def wait(self) -> None:
        assert self.process is not None
        while not answers("127.0.0.1", self.port, "/health"):
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"A server ended: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """As a power-cut would."""
        self.stop(signal.SIGKILL)

    def hang(self) -> None:
        """It takes connections and never answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It goes on where it was, as if no time had passed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class ActionServer(ChatServer):
    """`python -m bot actions`."""

    command = "actions"
    port_setting = "MILIA_ACTIONS_PORT"


class StaffApp(ChatServer):
    """`python -m bot staff`."""

    command = "staff"
    port_setting = "MILIA_STAFF_PORT"


class Cluster:
    """What a test may do with it. url: the proxy's."""

    actions: Sequence[ActionServer] = ()
    metrics_urls: Sequence[str] = ()

    def __init__(
        self, servers: Sequence[ChatServer], redis: RedisServer, variables: dict[str, str], url: str
    ) -> None:
        self.servers = servers
        self.redis = redis
        self.url = url
        self.variables = variables
        self.settings: Settings = load_settings(variables, Path("no .env"))
        self.store = Store(self.settings.store_url)

    def say(self, text: str, sender: str, url: str = "") -> list[dict[str, Any]]:
        """The replies on the REST channel, from any server or from the one at `url`."""
        body = json.dumps({"sender": sender, "message": text}).encode()
        address = f"{url or self.url}/webhooks/rest/webhook"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def logged(self) -> str:
        """What all servers have logged."""
        return "".join(server.log.read_text() for server in [*self.servers, *self.actions])


@contextmanager
def cluster(database_url: str, number: int = 2, actions: int = 0, **settings: object) -> Iterator[Cluster]:
    """Starts it on an empty database, with the project's model, which has to be there.

    actions: action servers behind a proxy of their own; none: the chat servers run the actions.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="milia-")))
        redis = stack.enter_context(RedisServer())
        proxy_port, actions_proxy, *ports = free_ports(2 * number + actions + 2)
        ports, metrics_ports = ports[: number + actions], ports[number + actions :]
        variables = environment(
            **{
                "data_dir": folder,
                "database_url": database_url,
                "redis_url": redis.url,
                "secret_key": "several servers share one secret",
                "proxies": 1,
                "understanding_processes": 0,  # as in deploy/: servers side by side share the processors
                "actions_url": f"http://127.0.0.1:{actions_proxy}/webhook" if actions else "",
                "actions_host": "0.0.0.0" if actions else "127.0.0.1",  # where it wants a token
                **settings,
            }
        )
        servers, action_servers = [], []
        for place, port in enumerate(ports):  # each a machine with a disk of its own
            kind, among = (ChatServer, servers) if place < number else (ActionServer, action_servers)
            own = {
                **variables,
                "MILIA_DATA_DIR": str(folder / f"server-{place}"),
                "MILIA_METRICS_PORT": str(metrics_ports[place]) if place < number else "0",
            }
            among.append(kind(own, port, folder / f"server-{place}.log"))
        made = Cluster(servers, redis, variables, f"http://127.0.0.1:{proxy_port}")
        made.actions = action_servers
        made.metrics_urls = [f"http://127.0.0.1:{port}/metrics" for port in metrics_ports]
        stack.callback(made.store.close)
        made.store.migrate()
        for server in [*servers, *action_servers]:
            server.launch()
            stack.callback(server.stop)
        for port, behind in ((proxy_port, servers), (actions_proxy, action_servers)):
            if behind:
                stack.enter_context(_proxy(port, [server.url for server in behind]))
        for server in [*servers, *action_servers]:
            server.wait()
        yield made
        logs = [server.log for server in [*servers, *action_servers]]
        assert leaks(made.settings, made.store, logs) == []


@contextmanager
def _proxy(port: int, urls: Sequence[str]) -> Iterator[None]:
    command = [sys.executable, str(ROOT / "tests" / "programs" / "proxy.py"), str(port), *urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and "ready" in process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()
