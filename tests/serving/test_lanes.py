"""One message of a conversation at a time, in the order in which they came, on any number of servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
import redis

from bot.serving.lanes import Lanes
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest_asyncio.fixture
async def make_lanes() -> AsyncIterator[Callable[..., Lanes]]:
    made = []

    def make(url: str = "", **given: float) -> Lanes:
        """With all the time of the world, should the machine be busy."""
        made.append(Lanes(url, **{"patience": 30.0, **given}))
        return made[-1]

    yield make
    for lanes in made:
        await lanes.close()


class Witness:
    """Sees who is dealt with, and whether somebody else is at the same time."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.inside = 0
        self.most = 0

    async def message(self, lanes: Lanes, number: int, conversation: str = "c") -> None:
        async with lanes.turn(conversation):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.002)
            self.seen.append(number)
            self.inside -= 1


async def queued(lanes: Lanes) -> None:
    """Returns when whoever came last has a place."""
    await asyncio.sleep(0)
    for lane in list(lanes._lanes.values()):
        await lane[-1].queued.wait()


@pytest.mark.parametrize("servers", [0, 1, 3])
async def test_messages_are_taken_in_the_order_of_their_coming(
    servers: int, server: RedisServer, make_lanes: Callable[..., Lanes]
) -> None:
    """0: a server without Redis."""
    all_lanes = [make_lanes(server.url) for _ in range(servers)] or [make_lanes()]
    witness, running = Witness(), []
    for number in range(24):
        lanes = all_lanes[number % len(all_lanes)]
        running.append(asyncio.create_task(witness.message(lanes, number)))
        await queued(lanes)
    await asyncio.gather(*running)
    assert witness.seen == list(range(24))
    assert witness.most == 1


async def test_other_conversations_do_not_wait(server: RedisServer, make_lanes: Callable[..., Lanes]) -> None:
    lanes, witness = make_lanes(server.url), Witness()
    async with lanes.turn("held"):
        await witness.message(lanes, 1, "other")
    assert witness.seen == [1]


async def test_who_gives_up_waiting_holds_nobody_up(
    server: RedisServer, make_lanes: Callable[..., Lanes]
) -> None:
    one, other, witness = make_lanes(server.url), make_lanes(server.url), Witness()
    async with one.turn("c"):
        impatient = asyncio.create_task(witness.message(other, 1))
        await queued(other)
        patient = asyncio.create_task(witness.message(other, 2))
        await queued(other)
        impatient.cancel()
    await patient
    assert witness.seen == [2]


async def test_a_long_turn_keeps_its_lane(server: RedisServer, make_lanes: Callable[..., Lanes]) -> None:
    one, other, witness = make_lanes(server.url, lease=1.5), make_lanes(server.url, lease=1.5), Witness()
    async with one.turn("c"):
        waiting = asyncio.create_task(witness.message(other, 1))
        await asyncio.sleep(3.5)  # more than two leases
        assert witness.seen == []
    await waiting


async def test_the_lane_of_a_dead_server_is_free_again(
    server: RedisServer, make_lanes: Callable[..., Lanes]
) -> None:
    dead, alive, witness = make_lanes(server.url, lease=0.3), make_lanes(server.url), Witness()
    turn = dead.turn("c")
    await turn.__aenter__()
    dead._renewing.cancel()  # as if it had been killed
    await witness.message(alive, 1)
    assert witness.seen == [1]
    await turn.__aexit__(None, None, None)


@pytest.mark.parametrize("fault", ["stop", "hang"])
async def test_without_redis_each_server_goes_on_in_order(
    fault: str, make_lanes: Callable[..., Lanes], caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer() as server:
        lanes, witness = make_lanes(server.url, patience=1.0), Witness()
        await witness.message(lanes, 0)
        getattr(server, fault)()
        running = [asyncio.create_task(witness.message(lanes, number)) for number in range(1, 6)]
        await asyncio.wait_for(asyncio.gather(*running), 20)
        assert (witness.seen, witness.most) == (list(range(6)), 1)
        assert caplog.text.count("Redis can't be reached") == 1


async def test_a_redis_that_comes_back_empty_is_used_again(make_lanes: Callable[..., Lanes]) -> None:
    with RedisServer() as server:
        one, other, witness = make_lanes(server.url, lease=0.3), make_lanes(server.url), Witness()
        async with one.turn("c"):
            server.stop()
            server.start()
            with redis.Redis.from_url(server.url) as client:
                while not client.keys("milia:lane:*"):  # the turn under way takes its place again
                    await asyncio.sleep(0.02)
            waiting = asyncio.create_task(witness.message(other, 1))
            await queued(other)
            assert witness.seen == []
        await waiting


async def test_ids_of_people_do_not_reach_redis(
    server: RedisServer, make_lanes: Callable[..., Lanes]
) -> None:
    lanes = make_lanes(server.url)
    async with lanes.turn("facebook-1-7654321"):
        with redis.Redis.from_url(server.url) as client:
            assert client.keys("milia:lane:*")
            assert not any(b"7654321" in key for key in client.keys("*"))
