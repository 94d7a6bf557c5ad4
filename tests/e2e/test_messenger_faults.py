"""Servers that stop, hang and go on while people write on Messenger, as real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio
import sqlalchemy as sa

from bot.store.messenger_tables import messenger_inbox as inbox
from tests.cluster import Cluster, cluster
from tests.conftest import System
from tests.doubles.graph_api import Fault, Meta, Sent
from tests.postgres_server import PostgresServer
from tests.visitors import QUESTIONS, answers_to

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "100"


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """These tests are asynchronous themselves and need no browser."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def facebook() -> AsyncIterator[Meta]:
    async with Meta() as meta:
        yield meta
        assert meta.refused == [] and meta.unauthorised == []


@pytest.fixture(scope="module")
def two(system: System, facebook: Meta) -> Iterator[Cluster]:
    """`system` has seen to the model."""
    with (
        PostgresServer() as postgres,
        cluster(
            postgres.url,
            2,
            messenger_app_secret=facebook.app_secret,
            messenger_verify_token="verify-me",
            messenger_page_tokens=f"{PAGE}:token-{PAGE}",
            messenger_graph_url=facebook.url,
            log_level="INFO",
        ) as two,
    ):
        facebook.webhooks = [f"{two.url}/webhooks/facebook/webhook"]
        yield two
        assert "Traceback" not in two.logged()


def stored(two: Cluster) -> set[str]:
    return two.store._read(lambda c: set(c.execute(sa.select(inbox.c.key)).scalars()))


async def test_a_server_that_stops_has_stored_what_it_says_it_has(two: Cluster, facebook: Meta) -> None:
    """Nobody brings an event again that was answered with 200."""
    stopping, accepted, ended = two.servers[0], [], asyncio.Event()
    url = f"{stopping.url}/webhooks/facebook/webhook"

    async def bring(http: aiohttp.ClientSession, deliverer: int) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            mid = f"stop-{deliverer}-{number}"
            body = facebook.body(PAGE, [facebook.text(f"{8000 + deliverer}", "What are milia?", mid=mid)])
            try:
                async with http.post(
                    url, data=body, headers={"X-Hub-Signature-256": facebook.signature(body)}
                ) as answer:
                    if answer.status == 200:
                        accepted.append(mid)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.01)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        bringing = [asyncio.create_task(bring(http, deliverer)) for deliverer in range(12)]
        while len(accepted) < 50:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(stopping.stop)
        ended.set()
        await asyncio.gather(*bringing)
    stopping.launch()
    await asyncio.to_thread(stopping.wait)
    assert set(accepted) - stored(two) == set()


async def test_a_server_that_hangs_and_goes_on_answers_nobody_twice(two: Cluster, facebook: Meta) -> None:
    hanging, other = two.servers
    # Both are told of work at first, so that both have some when one hangs.
    facebook.webhooks = [f"{server.url}/webhooks/facebook/webhook" for server in two.servers]
    facebook.chaos = lambda: Fault(delay=1.0)  # so that there is always something under way
    people = [f"{9000 + number}" for number in range(20)]

    def got() -> list[Sent]:
        """Only what these people got: others may still be answered from another test."""
        return [sent for psid in people for sent in facebook.got(psid)]

    for question in QUESTIONS:
        for psid in people:
            body = facebook.body(PAGE, [facebook.text(psid, question)])
            await facebook.deliver_until_accepted(body)
        if question == next(iter(QUESTIONS)):  # the notices have arrived, the answers are on their way
            await facebook.until(got, len(people), 120)
            facebook.webhooks = [f"{other.url}/webhooks/facebook/webhook"]
            hanging.hang()
    try:
        await facebook.until(got, len(people) * (len(QUESTIONS) + 1), 150)
    finally:
        hanging.go_on()
    await asyncio.to_thread(hanging.wait)
    await asyncio.to_thread(hanging.stop)  # it does what it still has to do
    answers = list(answers_to(two.settings).values())
    for psid in people:
        assert [sent.text for sent in facebook.got(psid)][1:] == answers
    assert "went to another server" in hanging.log.read_text()
