"""How often somebody may try to sign in: by name and address, by address, by name."""

from __future__ import annotations

from limits import RateLimitItemPerMinute, parse

from bot.rates import Rates
from bot.settings import Settings

PAIR = "5 per 5 minutes"
ADDRESS = "30 per 15 minutes"
NAME = "50 per 15 minutes"


class SignInLimits:
    """Counts failed attempts, in Redis when there are several servers."""

    def __init__(self, settings: Settings) -> None:
        self._rates = Rates(settings.redis_url)

    def allows(self, name: str, address: str) -> bool:
        """Whether another attempt may be made."""
        return all(self._rates.allows(limit, "sign-in", *key) for limit, key in self._limits(name, address))

    def failed(self, name: str, address: str) -> None:
        """Counts an attempt that failed."""
        for limit, key in self._limits(name, address):
            self._rates.hit(limit, "sign-in", *key)

    @staticmethod
    def _limits(name: str, address: str) -> list[tuple[RateLimitItemPerMinute, tuple[str, ...]]]:
        name = name.casefold()[:100]
        return [
            (parse(PAIR), ("pair", name, address)),
            (parse(ADDRESS), ("address", address)),
            (parse(NAME), ("name", name)),
        ]
