"""How much one visitor and one address may send, so that nobody crowds the others out."""

from __future__ import annotations

import asyncio
import ipaddress
from functools import lru_cache

from limits import RateLimitItemPerMinute
from sanic.request import Request

from bot.rates import Rates
from bot.settings import Settings


class Limits:
    """Counts requests a minute, in this process or for all servers in Redis."""

    def __init__(self, settings: Settings) -> None:
        self._rates = Rates(settings.redis_url)
        self._limits = {
            "session": RateLimitItemPerMinute(settings.session_rate),
            "address": RateLimitItemPerMinute(settings.address_rate),
            "live": RateLimitItemPerMinute(60),
        }

    async def wait(self, kind: str, who: str) -> int | None:
        """Counts one request; gives the seconds to wait when it is one too many.

        kind: what is counted: "session", "address" or "live".
        """
        if self._rates.is_shared:
            return await asyncio.to_thread(self._count, kind, who)
        return self._count(kind, who)

    def _count(self, kind: str, who: str) -> int | None:
        limit, key = self._limits[kind], ("website", kind, who)
        return None if self._rates.hit(limit, *key) else self._rates.seconds_left(limit, *key)


def address_of(request: Request, proxies: int) -> str:
    """The visitor's address, as far as it can be believed.

    Whatever stands further left in X-Forwarded-For than our own proxies wrote is the visitor's claim.
    """
    address = str(request.ip)
    if proxies:
        named = ",".join(request.headers.getall("x-forwarded-for", [])).split(",")
        hops = [hop.strip() for hop in named if hop.strip()]
        if len(hops) >= proxies:
            address = hops[-proxies]
    return _counted_as(address)


@lru_cache(maxsize=4096)
def _counted_as(address: str) -> str:
    """One IPv4 address, or the IPv6 network that one customer is given."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
