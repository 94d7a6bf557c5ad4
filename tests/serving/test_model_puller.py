"""A server takes each release once and whole, keeps a copy, and stays with what it has when something is wrong."""

from __future__ import annotations

import hashlib
import logging
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from rasa.utils.endpoints import EndpointConfig

from bot.model_inputs import INPUTS_HEADER
from bot.serving.model_puller import ModelPuller

INPUTS = "i" * 64


class Agent:
    """What an agent does with archives, without Rasa: those that begin with "model" can be loaded."""

    def __init__(self) -> None:
        self.fingerprint: str | None = None
        self.loaded: list[bytes] = []

    async def load(self, archive: Path, fingerprint: str) -> None:
        data = archive.read_bytes()
        if not data.startswith(b"model"):
            raise tarfile.ReadError("no tar file")
        self.loaded.append(data)
        self.fingerprint = fingerprint


class Server:
    """Offers one archive under its digest, or under another one."""

    def __init__(self) -> None:
        self.archive, self.tag, self.sent, self.asked = b"", "", 0, []  # type: ignore[var-annotated]
        self.url = ""
        self.promised = 0  # bytes, more than there are

    def offer(self, archive: bytes, tag: str = "") -> None:
        self.archive = archive
        self.tag = tag or f'"{hashlib.sha256(archive).hexdigest()}"'

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers[INPUTS_HEADER])
        if request.headers.get("If-None-Match") == self.tag:
            return web.Response(status=304)
        self.sent += 1
        if self.promised:
            cut = web.StreamResponse(headers={"ETag": self.tag, "Content-Length": str(self.promised)})
            await cut.prepare(request)
            await cut.write(self.archive)
            request.transport.close()
            return cut
        return web.Response(body=self.archive, headers={"ETag": self.tag})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_get("/live", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/live"
    yield server
    await runner.cleanup()


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def puller(agent: Agent, server: Server, tmp_path: Path) -> ModelPuller:
    return ModelPuller(agent, EndpointConfig(server.url), INPUTS, tmp_path / "live")  # type: ignore[arg-type]


async def test_each_release_once(puller: ModelPuller, agent: Agent, server: Server):
    server.offer(b"model 1")
    await puller.pull()
    await puller.pull()
    server.offer(b"model 2")
    await puller.pull()
    assert agent.loaded == [b"model 1", b"model 2"]
    assert (server.sent, set(server.asked)) == (2, {INPUTS})


async def test_the_last_one_is_kept_for_a_start_without_the_model_server(
    puller: ModelPuller, agent: Agent, server: Server, tmp_path: Path
):
    for archive in (b"model 1", b"model 2"):
        server.offer(archive)
        await puller.pull()
    assert [path.read_bytes() for path in (tmp_path / "live").iterdir()] == [b"model 2"]
    again = Agent()
    away = EndpointConfig("http://127.0.0.1:9/live")
    restarted = ModelPuller(again, away, INPUTS, tmp_path / "live")  # type: ignore[arg-type]
    await restarted.load_kept()
    await restarted.pull()
    assert (again.loaded, again.fingerprint) == ([b"model 2"], agent.fingerprint)


async def test_a_copy_that_is_damaged_or_of_other_files_is_not_loaded(
    puller: ModelPuller, agent: Agent, tmp_path: Path
):
    (tmp_path / "live").mkdir()
    digest = hashlib.sha256(b"model 1").hexdigest()
    (tmp_path / "live" / f"{INPUTS[:16]}-{digest}.tar.gz").write_bytes(b"model")
    (tmp_path / "live" / f"{'o' * 16}-{digest}.tar.gz").write_bytes(b"model 1")
    await puller.load_kept()
    assert agent.loaded == []


@pytest.mark.parametrize("damage", ["on its way", "before it was offered"])
async def test_a_damaged_one_leaves_the_one_in_use_and_is_told_once(
    puller: ModelPuller, agent: Agent, server: Server, damage: str, caplog: pytest.LogCaptureFixture
):
    server.offer(b"model 1")
    await puller.pull()
    good = server.tag
    server.offer(
        b"model" if damage == "on its way" else b"nothing", f'"{"0" * 64}"' if damage == "on its way" else ""
    )
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await puller.pull()
    assert agent.fingerprint == good
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "the file is damaged" in caplog.text and "the one in use stays" in caplog.text
    assert server.sent == 2
    server.offer(b"model 1")  # back to the release that is in use
    for _ in range(2):
        await puller.pull()
    server.offer(b"model 3")
    await puller.pull()
    assert agent.loaded == [b"model 1", b"model 3"]


async def test_a_model_server_that_is_away_is_no_news(agent: Agent, caplog: pytest.LogCaptureFixture):
    away = EndpointConfig("http://127.0.0.1:9/live")
    await ModelPuller(agent, away, INPUTS).pull()  # type: ignore[arg-type]
    assert agent.loaded == [] and caplog.records == []


async def test_one_that_comes_cut_short_is_told_once(
    puller: ModelPuller, agent: Agent, server: Server, caplog: pytest.LogCaptureFixture
):
    server.offer(b"model 1")
    await puller.pull()
    server.offer(b"model 2")
    server.promised = 100
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await puller.pull()
    assert agent.loaded == [b"model 1"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    server.promised = 0
    await puller.pull()
    assert agent.loaded == [b"model 1", b"model 2"]
