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
from tests.redis_server import RedisServer

PATIENCE = 60.0


class ChatServer:
    """`python -m bot serve`, which can be ended in every way and started again at the same address."""

    def __init__(self, variables: dict[str, str], port: int, log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._variables = {**variables, "MILIA_CHAT_PORT": str(port)}
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Starts it; `wait` returns when it answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "bot", "serve"]
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

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class Cluster:
    """What a test may do with it. url: the proxy's."""

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
        return "".join(server.log.read_text() for server in self.servers)


@contextmanager
def cluster(database_url: str, number: int = 2, **settings: object) -> Iterator[Cluster]:
    """Starts it on an empty database, with the project's model, which has to be there."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="milia-")))
        redis = stack.enter_context(RedisServer())
        proxy_port, *ports = free_ports(number + 1)
        variables = environment(
            **{
                "data_dir": folder,
                "database_url": database_url,
                "redis_url": redis.url,
                "secret_key": "several servers share one secret",
                "proxies": 1,
                **settings,
            }
        )
        servers = []
        for place, port in enumerate(ports):  # each a machine with a disk of its own
            own = {**variables, "MILIA_DATA_DIR": str(folder / f"server-{place}")}
            servers.append(ChatServer(own, port, folder / f"server-{place}.log"))
        urls = [server.url for server in servers]
        made = Cluster(servers, redis, variables, f"http://127.0.0.1:{proxy_port}")
        stack.callback(made.store.close)
        made.store.migrate()
        command = [sys.executable, str(ROOT / "tests" / "programs" / "proxy.py"), str(proxy_port), *urls]
        proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        stack.callback(proxy.communicate)
        stack.callback(proxy.kill)
        for server in servers:
            server.launch()
            stack.callback(server.stop)
        for server in servers:
            server.wait()
        assert proxy.stdout is not None and "ready" in proxy.stdout.readline()
        yield made
