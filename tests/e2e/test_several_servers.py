"""Chat servers on one PostgreSQL and one Redis, behind a proxy that sends every request to another one."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import redis

from bot.logs import turn_of
from bot.model import OutgoingReply, Reply, new_id
from bot.serving.lanes import Lanes
from bot.store.turn_codec import unpack
from tests.cluster import Cluster, cluster
from tests.conftest import System
from tests.store.conftest import new_postgres_database, start_postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBSITE = "/webhooks/website"
ORIGIN = "https://www.example.com"


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """These tests are asynchronous themselves and need no browser."""


@pytest.fixture(scope="module")
def servers(system: System) -> Iterator[Cluster]:
    """`system` has seen to the model."""
    postgres = start_postgres()
    try:
        settings = {"allowed_origins": ORIGIN, "log_format": "json", "log_level": "INFO"}
        with cluster(new_postgres_database(postgres), 2, actions=2, **settings) as servers:
            yield servers
            assert "Traceback" not in servers.logged()
    finally:
        postgres.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Origin": ORIGIN}) as http:
        yield http


async def says(http: aiohttp.ClientSession, url: str, text: str, sender: str) -> str:
    body = {"sender": sender, "message": text}
    async with http.post(f"{url}/webhooks/rest/webhook", json=body) as answer:
        return "\n".join(message["text"] for message in await answer.json())


def messages_of(servers: Cluster, conversation: str) -> list[str]:
    """What the visitor has written, as it is stored."""
    turns = servers.store.turns(conversation)
    return [e["text"] for turn in turns for e in unpack(turn.data) if e["event"] == "user" and e["text"]]


class Held:
    """Keeps a conversation's lane, as a server that is slow to answer would."""

    def __init__(self, servers: Cluster, conversation: str) -> None:
        self._lanes = Lanes(servers.redis.url)
        self._turn = self._lanes.turn(conversation)
        self._client = redis.Redis.from_url(servers.redis.url)

    async def __aenter__(self) -> Held:
        await self._turn.__aenter__()
        return self

    async def waiting(self, number: int) -> None:
        """Returns when so many messages wait behind it."""
        while True:
            lanes = self._client.keys("milia:lane:*")
            if sum(self._client.zcard(lane) for lane in lanes) > number:
                return
            await asyncio.sleep(0.01)

    async def release(self) -> None:
        await self._turn.__aexit__(None, None, None)

    async def __aexit__(self, *_: object) -> None:
        self._client.close()
        await self._lanes.close()


async def test_a_call_back_is_arranged_across_servers(servers: Cluster, http: aiohttp.ClientSession) -> None:
    said = [
        await says(http, servers.url, text, "form")
        for text in ("please call me back", "yes", "Jo Citizen", "0412 345 678", "tomorrow after 4")
    ]
    assert "Is it OK to call you?" in said[0] and "Your reference is" in said[-1]
    person = servers.settings.person("rest", "rest-form")
    [request] = servers.store.callbacks(person_key=person.key)
    assert request.name == "Jo Citizen" and request.phone == "+61412345678"


async def test_action_servers_take_turns_and_one_that_dies_is_not_missed(
    servers: Cluster, http: aiohttp.ClientSession
) -> None:
    assert "What name" in await form_up_to_the_name(servers, http, "acting")
    one = servers.actions[0]
    one.kill()
    assert "What name" in await form_up_to_the_name(servers, http, "acting-on")
    one.launch()
    await asyncio.to_thread(one.wait)


async def form_up_to_the_name(servers: Cluster, http: aiohttp.ClientSession, sender: str) -> str:
    """What comes of actions: the last reply."""
    await says(http, servers.url, "please call me back", sender)
    return await says(http, servers.url, "yes", sender)


async def test_what_happens_can_be_watched(servers: Cluster, http: aiohttp.ClientSession) -> None:
    """Prometheus is told of it, and the log has it under the turn's id, without a word of it."""
    words = "What are milia, the pearl-coloured ones?"
    headers, message_id = await visitor(http, servers), new_id()
    before = await read_metrics(http, servers)
    assert await sends(http, servers.url, headers, id=message_id, text=words)
    after = await read_metrics(http, servers)
    answered = 'milia_turns_total{channel="website",result="answered"}'
    assert after[answered] == before.get(answered, 0) + 1
    assert after['milia_outcomes_total{channel="website",outcome="answered"}'] > 0
    for stage in ("turn", "lane", "understanding", "storing"):
        assert after[f'milia_stage_seconds_count{{stage="{stage}"}}'] > 0, stage
    assert after["milia_database_up"] == len(servers.servers)
    assert any(name.startswith("milia_model{") for name in after)
    logged = servers.logged()
    lines = [json.loads(line) for line in logged.splitlines()]
    turn = turn_of(conversation_of(headers), message_id)
    [told] = [line for line in lines if line.get("turn") == turn and "result" in line]
    assert told["channel"] == "website" and told["result"] == "answered" and told["process"] == "chat"
    assert "pearl" not in logged and "0412 345 678" not in logged and "Citizen" not in logged


async def read_metrics(http: aiohttp.ClientSession, servers: Cluster) -> dict[str, float]:
    """What all chat servers together tell."""
    read: dict[str, float] = {}
    for url in servers.metrics_urls:
        async with http.get(url) as answer:
            for line in (await answer.text()).splitlines():
                if not line.startswith("#"):
                    name, _, value = line.rpartition(" ")
                    read[name] = read.get(name, 0.0) + float(value)
    return read


async def test_a_conversation_is_in_order_across_servers(
    servers: Cluster, http: aiohttp.ClientSession
) -> None:
    texts = [f"What are milia? Asked {number} times." for number in range(8)]
    asking = []
    async with Held(servers, "rest-order") as held:
        for number, text in enumerate(texts):
            server = servers.servers[number % 2]
            asking.append(asyncio.create_task(says(http, server.url, text, "order")))
            await held.waiting(number + 1)
        await held.release()
        said = await asyncio.gather(*asking)
    assert all("hard white lumps" in one for one in said)
    assert messages_of(servers, "rest-order") == texts


async def visitor(http: aiohttp.ClientSession, servers: Cluster) -> dict[str, str]:
    """The headers of a new visitor of the website."""
    async with http.post(f"{servers.url}{WEBSITE}/session") as answer:
        token = (await answer.json())["token"]
    return {"Authorization": f"Bearer {token}"}


def conversation_of(headers: dict[str, str]) -> str:
    payload = headers["Authorization"].split()[1].split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(payload + "==")))


async def sends(http: aiohttp.ClientSession, url: str, headers: dict[str, str], **message: Any) -> list[str]:
    async with http.post(f"{url}{WEBSITE}/messages", json=message, headers=headers) as answer:
        lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        return [line["text"] for line in lines if line["type"] == "reply"]


async def test_a_message_that_comes_again_to_another_server_is_answered_once(
    servers: Cluster, http: aiohttp.ClientSession
) -> None:
    headers = await visitor(http, servers)
    conversation, message_id = conversation_of(headers), new_id()
    one, other = (server.url for server in servers.servers)
    async with Held(servers, conversation) as held:
        message = {"id": message_id, "text": "What are milia?"}
        first = asyncio.create_task(sends(http, one, headers, **message))
        await held.waiting(1)
        second = asyncio.create_task(sends(http, other, headers, **message, again=True))
        await held.waiting(2)
        await held.release()
        assert await first == await second != []
    assert messages_of(servers, conversation) == ["What are milia?"]


async def test_a_reply_from_staff_finds_the_visitor_on_any_server(
    servers: Cluster, http: aiohttp.ClientSession
) -> None:
    headers = await visitor(http, servers)
    conversation = conversation_of(headers)
    for server in servers.servers:
        waiting = asyncio.create_task(http.get(f"{server.url}{WEBSITE}/live", headers=headers))
        reply = OutgoingReply(
            servers.settings.person("website", conversation), Reply("From Sarah.", author="staff"), "sarah"
        )
        await asyncio.to_thread(servers.store.enqueue_reply, reply)
        async with await waiting as answer:
            [item] = (await answer.json())["items"]
        assert item["text"] == "From Sarah."
        await asyncio.to_thread(servers.store.mark_reply_sent, reply.id)


async def test_a_visitor_is_counted_by_all_servers_together(
    servers: Cluster, http: aiohttp.ClientSession
) -> None:
    headers = await visitor(http, servers)
    allowed = servers.settings.session_rate
    statuses = []
    for _ in range(allowed + 2):
        async with http.get(f"{servers.url}{WEBSITE}/history", headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [200] * allowed + [429] * 2


@pytest.mark.parametrize("fault", ["stop", "hang"])
async def test_visitors_are_answered_while_redis_is_away(
    fault: str, servers: Cluster, http: aiohttp.ClientSession
) -> None:
    headers = await visitor(http, servers)
    getattr(servers.redis, fault)()
    try:
        for _ in servers.servers:
            asking = sends(http, servers.url, headers, id=new_id(), text="What are milia?")
            [said] = await asyncio.wait_for(asking, 15)
            assert "hard white lumps" in said
    finally:
        servers.redis.go_on() if fault == "hang" else servers.redis.start()
    assert len(messages_of(servers, conversation_of(headers))) == 2
    while (log := servers.logged()).count("can't be reached") > log.count("Redis is back"):
        for server in servers.servers:  # the next test needs what they share
            await sends(http, server.url, await visitor(http, servers), id=new_id(), text="Hello")
