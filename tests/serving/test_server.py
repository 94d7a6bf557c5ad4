"""The chat server starts, answers, takes new models while it answers, and says why when it can't start."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web

from tests.serving.conftest import environment, free_port, rasa, refusal, running

SERVER, PORT = "bot.serving.server", "MILIA_CHAT_PORT"


def say(url: str, text: str, sender: str = "visitor") -> list[str]:
    answer = requests.post(
        f"{url}/webhooks/rest/webhook", json={"sender": sender, "message": text}, timeout=10
    )
    answer.raise_for_status()
    return [message["text"] for message in answer.json()]


@pytest.fixture(scope="module")
def chat(trained: Path) -> Iterator[str]:
    with running(SERVER, trained, PORT) as url:
        yield url


def test_it_answers(chat: str) -> None:
    assert say(chat, "hello") == ["Hello."]
    assert say(chat, "when are you open") == ["visitor said 'when are you open', turn 2.", "Asked 1 times."]
    assert say(chat, "opening hours") == ["visitor said 'opening hours', turn 3.", "Asked 2 times."]


def test_an_action_that_fails_or_is_missing_costs_no_reply(chat: str) -> None:
    assert say(chat, "broken", "one") == ["Hello."]
    assert say(chat, "unknown action", "two") == ["Hello."]


def test_a_refusing_action_leaves_the_turn_to_the_fallback(chat: str) -> None:
    assert say(chat, "refused", "three") == ["I don't know."]


def test_a_form_is_validated_by_its_action(chat: str) -> None:
    assert say(chat, "book a visit", "four") == ["Who are you?"]
    assert say(chat, "far too long for a name, I would say", "four") == ["Who are you?"]
    assert say(chat, "jane doe", "four") == ["See you, Jane Doe."]


def test_health_names_the_model(chat: str) -> None:
    answer = requests.get(f"{chat}/health", timeout=5).json()
    assert answer["status"] == "ok"
    assert len(answer["model"]) == 32


@pytest.mark.parametrize(
    "path", ["/model", "/conversations/visitor/tracker", "/domain", "/conversations/visitor/trigger_intent"]
)
def test_rasas_http_api_is_off(chat: str, path: str) -> None:
    assert requests.get(chat + path, timeout=5).status_code == 404
    assert requests.post(chat + path, json={}, timeout=5).status_code == 404


def test_actions_can_run_at_an_action_server(trained: Path) -> None:
    with (
        running("bot.serving.action_server", trained, "MILIA_ACTIONS_PORT") as actions,
        running(SERVER, trained, PORT, MILIA_ACTIONS_URL=f"{actions}/webhook") as chat,
    ):
        assert say(chat, "when are you open") == [
            "visitor said 'when are you open', turn 1.",
            "Asked 1 times.",
        ]
        assert say(chat, "refused", "three") == ["I don't know."]


def test_an_answer_under_way_is_finished_at_the_end(trained: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", SERVER], cwd=trained, env=environment(**{PORT: str(port)})
    )
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            requests.get(f"{url}/health", timeout=5)
            break
        except requests.ConnectionError:
            assert process.poll() is None
    code = (
        "import requests, sys\n"
        f"print('sent', flush=True); r = requests.post('{url}/webhooks/rest/webhook',"
        " json={'sender': 'a', 'message': 'slow'})\nprint(r.text)"
    )
    client = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    client.stdout.readline()
    time.sleep(0.3)  # its request is on the way; the action takes 1.5 s
    process.send_signal(signal.SIGTERM)
    assert "Done at last." in client.communicate(timeout=10)[0]
    assert process.wait(timeout=10) == 0


# What stops a start


def test_a_port_in_use(trained: Path, chat: str) -> None:
    port = chat.rsplit(":", 1)[1]
    assert refusal(SERVER, trained, **{PORT: port}).strip() == (
        f"The chat server can't start. Port {port} is already in use:"
        " stop what uses it, or set MILIA_CHAT_PORT to another port."
    )


def test_no_model(project: Path) -> None:
    shutil.rmtree(project / "models")
    said = refusal(SERVER, project, **{PORT: str(free_port())}).strip()
    assert (
        said
        == "The chat server can't start. There is no trained model in models: train one with `make train`."
    )


@pytest.mark.parametrize("kept", [0, 0.1, 0.9])
def test_a_damaged_model(project: Path, kept: float) -> None:
    model = project / "models/small.tar.gz"
    model.write_bytes(model.read_bytes()[: int(model.stat().st_size * kept)])
    said = refusal(SERVER, project, **{PORT: str(free_port())}).strip()
    assert said.startswith("The chat server can't start. The model models/small.tar.gz can't be loaded (")
    assert said.endswith("): train again with `make train`.")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        (
            "tracker_store: {type: stores.Missing}",
            "tracker_store in endpoints.yml: stores.Missing can't be",
        ),
        (
            "tracker_store: {type: nowhere.Store}",
            "tracker_store in endpoints.yml: nowhere.Store can't be",
        ),
        (
            "tracker_store: {type: stores.Careless}",
            "made a InMemoryTrackerStore in the place of stores.Careless",
        ),
        ("lock_store: {type: nowhere.Locks}", "lock_store in endpoints.yml: nowhere.Locks can't be imported"),
        ("nlg: {type: nowhere.Voice}", "nlg in endpoints.yml: nowhere.Voice can't be imported"),
        ("event_broker: {type: nowhere.Broker}", "The event_broker in endpoints.yml can't be made"),
    ],
)
def test_a_part_that_rasa_would_replace_silently(project: Path, endpoints: str, said: str) -> None:
    (project / "endpoints.yml").write_text(endpoints)
    (project / "stores.py").write_text(
        "from rasa.core.tracker_store import InMemoryTrackerStore\n"
        "class Careless(InMemoryTrackerStore):\n"
        "    def __init__(self, **kwargs):\n"
        "        self.nothing.at_all\n"
    )
    assert said in refusal(SERVER, project, **{PORT: str(free_port())})


def test_a_store_that_is_made_is_used(project: Path) -> None:
    (project / "endpoints.yml").write_text("tracker_store: {type: SQL, dialect: sqlite, db: kept.db}")
    with running(SERVER, project, PORT) as url:
        assert say(url, "when are you open")[1] == "Asked 1 times."
    with running(SERVER, project, PORT) as url:
        assert say(url, "when are you open")[1] == "Asked 2 times."


# New models on the way


class ModelServer:
    """Serves one model archive with an ETag, as `models:` in endpoints.yml expects it."""

    def __init__(self) -> None:
        self.tag, self.archive, self.sent = "", b"", []  # type: ignore[var-annotated]

    def offer(self, tag: str, archive: bytes) -> None:
        self.tag, self.archive = tag, archive

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == self.tag:
            return web.Response(status=304)
        self.sent.append(self.tag)
        return web.Response(body=self.archive, headers={"ETag": self.tag, "filename": "model.tar.gz"})


@pytest.fixture
async def models() -> AsyncIterator[tuple[str, ModelServer]]:
    server = ModelServer()
    app = web.Application()
    app.router.add_get("/model", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/model", server
    await runner.cleanup()


@pytest.fixture(scope="module")
def two_models(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The project's model, and one that says "Good day." and has a great many responses to load."""
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("second") / "project"))
    domain = (folder / "domain.yml").read_text().replace("Hello.", "Good day.")
    many = "".join(f'  utter_extra_{n}: [{{text: "Answer number {n}."}}]\n' for n in range(1000))
    (folder / "domain.yml").write_text(domain.replace("responses:\n", "responses:\n" + many))
    done = rasa(folder, "train", "--quiet", "--skip-validation", "--fixed-model-name", "second")
    assert done.returncode == 0, done.stderr
    return (trained / "models/small.tar.gz").read_bytes(), (folder / "models/second.tar.gz").read_bytes()


async def test_a_new_model_is_taken_without_keeping_anybody_waiting(
    project: Path, models: tuple[str, ModelServer], two_models: tuple[bytes, bytes]
) -> None:
    url, server = models
    first, second = two_models
    shutil.rmtree(project / "models")
    (project / "endpoints.yml").write_text(f"models: {{url: '{url}', wait_time_between_pulls: 0.2}}")
    server.offer("first", first)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", SERVER, cwd=project, env={**environment(), PORT: str(port)}
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def hello() -> tuple[str, float]:
                began = time.monotonic()
                message = {"sender": f"visitor{began}", "message": "hello"}
                async with session.post("/webhooks/rest/webhook", json=message) as answer:
                    text: list[dict[str, Any]] = await answer.json()
                return text[0]["text"], time.monotonic() - began

            while True:
                try:
                    assert (await hello())[0] == "Hello."
                    break
                except aiohttp.ClientConnectorError:
                    assert process.returncode is None
                    await asyncio.sleep(0.05)

            server.offer("second", second)
            longest, text = 0.0, "Hello."
            while text == "Hello.":
                text, took = await hello()
                longest = max(longest, took)
            assert text == "Good day."
            assert longest < 1

            server.offer("damaged", first[: len(first) // 2])
            while "damaged" not in server.sent:
                assert (await hello())[0] == "Good day."
            server.offer("first again", first)
            while (await hello())[0] == "Good day.":
                pass
            assert server.sent == ["first", "second", "damaged", "first again"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


def test_an_absent_model_server_does_not_stop_a_start_with_a_model(project: Path) -> None:
    (project / "endpoints.yml").write_text(f"models: {{url: 'http://127.0.0.1:{free_port()}/model'}}")
    with running(SERVER, project, PORT) as url:
        assert say(url, "hello") == ["Hello."]
    shutil.rmtree(project / "models")
    os.mkdir(project / "models")
    assert "There is no model at" in refusal(SERVER, project, **{PORT: str(free_port())})
