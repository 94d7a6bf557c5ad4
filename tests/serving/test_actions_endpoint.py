"""A custom action answers alike in the chat server and at an action server, and never for too long."""

import asyncio
import copy
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rasa.utils.endpoints import ClientResponseError

from bot.serving.actions_endpoint import InProcessActions, RemoteActions, actions_endpoint
from tests.conftest import free_ports
from tests.serving.conftest import running

HERE = Path(__file__).parent


def call(action: str) -> dict[str, Any]:
    return {
        "next_action": action,
        "sender_id": "visitor",
        "version": "3.6.21",
        "tracker": {
            "sender_id": "visitor",
            "slots": {"asked": 2, "list": [1]},
            "latest_message": {"text": "when are you open"},
            "events": [{"event": "user", "text": "when are you open"}],
        },
    }


@pytest.fixture(scope="module")
def local() -> Iterator[InProcessActions]:
    sys.path.insert(0, str(HERE / "project"))
    yield InProcessActions(timeout=1, package="small_actions")
    sys.path.remove(str(HERE / "project"))


@pytest.fixture(scope="module")
def server(trained: Path) -> Iterator[str]:
    with running("bot.serving.action_server", trained, "MILIA_ACTIONS_PORT") as url:
        yield f"{url}/webhook"


async def outcome(endpoint: Any, action: str) -> Any:
    try:
        return await endpoint.request(json=call(action), method="post", timeout=300, compress=False)
    except ClientResponseError as error:
        return error.status, json.loads(error.text) if error.status == 400 else None


@pytest.mark.parametrize("action", ["action_hours", "action_refused", "action_unknown", "action_broken"])
async def test_both_ways_end_alike(local: InProcessActions, server: str, action: str) -> None:
    remote = RemoteActions(server, timeout=3)
    try:
        assert await outcome(local, action) == await outcome(remote, action)
    finally:
        await remote.close()


async def test_what_an_action_answers(local: InProcessActions) -> None:
    answer = await outcome(local, "action_hours")
    assert answer["events"] == [{"event": "slot", "timestamp": None, "name": "asked", "value": 3}]
    assert answer["responses"][0]["text"] == "visitor said 'when are you open', turn 1."
    assert await outcome(local, "action_refused") == (
        400,
        {"action_name": "action_refused", "error": "not now"},
    )


async def test_an_unknown_action_is_named(local: InProcessActions) -> None:
    with pytest.raises(
        ClientResponseError, match="No custom action is called 'action_unknown': see the package actions"
    ):
        await local.request(json=call("action_unknown"))


async def test_an_action_cannot_change_the_conversation_itself(local: InProcessActions) -> None:
    sent = call("action_hours")
    before = copy.deepcopy(sent)
    await local.request(json=sent)
    assert sent == before


async def test_a_slow_action_is_given_up_and_keeps_nobody_waiting(local: InProcessActions) -> None:
    began = time.monotonic()
    slow = asyncio.create_task(outcome(local, "action_slow"))
    await asyncio.sleep(0)
    assert (await outcome(local, "action_hours"))["events"]
    assert not slow.done()
    assert (await slow)[0] == 504
    assert 0.9 < time.monotonic() - began < 1.4


async def test_a_slow_action_server_is_given_up(server: str) -> None:
    remote = RemoteActions(server, timeout=0.3)
    try:
        assert (await outcome(remote, "action_slow"))[0] == 504
    finally:
        await remote.close()


@asynccontextmanager
async def anything(port: int = 0) -> AsyncIterator[tuple[str, set[int]]]:
    """An HTTP server that answers anything, and the client ports it has seen."""
    seen: set[int] = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        seen.add(request.transport.get_extra_info("peername")[1])
        return web.json_response({"events": [], "responses": []})

    app = web.Application()
    app.router.add_route("*", "/{path}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhook", seen
    await runner.cleanup()


async def test_calls_share_a_connection() -> None:
    async with anything() as (url, seen):
        remote = actions_endpoint(url, timeout=3)
        for _ in range(5):
            assert await remote.request(json=call("action_hours")) == {"events": [], "responses": []}
        await remote.close()
        assert len(seen) == 1


async def test_while_the_action_server_is_away_its_actions_run_here(local: InProcessActions) -> None:
    [port] = free_ports(1)
    remote = RemoteActions(f"http://127.0.0.1:{port}/webhook", timeout=3, look_every=0.05)
    remote._here = local
    try:
        assert await outcome(remote, "action_hours") == await outcome(local, "action_hours")
        assert (await outcome(remote, "action_refused"))[0] == 400
        assert remote._looking is not None
        async with anything(port) as (_, seen):
            await remote._looking
            assert await outcome(remote, "action_hours") == {"events": [], "responses": []}
            assert seen
    finally:
        await remote.close()
