"""What a chat server shows an action server on another machine, so that nobody else can run actions there."""

from __future__ import annotations

from bot.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def actions_token(settings: Settings) -> str:
    """The same for all servers that share a secret key."""
    return settings.signing_key("actions").hex()


def wanted_token(settings: Settings) -> str:
    """What an action server asks for. Empty on loopback, where whoever is on this machine may call."""
    return "" if settings.actions_host in LOOPBACK else actions_token(settings)
