"""How much one visitor and one address may send, so that nobody crowds the others out."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time

from sanic.request import Request

from bot.settings import Settings

logger = logging.getLogger(__name__)


class Limits:
    """Counts requests a minute, in this process or for all servers in Redis."""

    def __init__(self, settings: Settings) -> None:
        from limits import RateLimitItemPerMinute
        from limits.storage import MemoryStorage, storage_from_string
        from limits.strategies import MovingWindowRateLimiter

        self._shared = bool(settings.redis_url)
        # The limiter holds its storage weakly.
        self._storage = storage_from_string(settings.redis_url) if self._shared else MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._rates = {
            "session": RateLimitItemPerMinute(settings.session_rate),
            "address": RateLimitItemPerMinute(settings.address_rate),
            "live": RateLimitItemPerMinute(60),
        }

    async def wait(self, kind: str, who: str) -> int | None:
        """Counts one request; gives the seconds to wait when it is one too many.

        kind: what is counted: "session", "address" or "live".
        """
        try:
            if self._shared:
                return await asyncio.to_thread(self._count, kind, who)
            return self._count(kind, who)
        except Exception as error:  # a limit that can't be counted must not end the chat
            logger.warning("Requests can't be counted (%s); this one passes.", type(error).__name__)
            return None

    def _count(self, kind: str, who: str) -> int | None:
        rate = self._rates[kind]
        if self._limiter.hit(rate, "website", kind, who):
            return None
        reset, _ = self._limiter.get_window_stats(rate, "website", kind, who)
        return max(1, math.ceil(reset - time.time()))


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
