"""What must stand in no log: what visitors wrote, whom they asked to call, and every secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from bot.settings import Settings
from bot.store.store import Store
from bot.store.turn_codec import unpack

SHORTEST = 12
"""Characters of a text that can't be in a log by chance."""


def secrets(settings: Settings) -> Iterator[str]:
    """The secrets that a system has been given."""
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if field.metadata["secret"] and value:
            yield from [value] if isinstance(value, str) else [token for _, token in value]


def told(store: Store) -> Iterator[str]:
    """What visitors have told a system."""
    for request in store.callbacks(100_000):
        yield from (request.phone, request.name)
    for conversation in store.conversations():
        for turn in store.turns(conversation):
            yield from (e.get("text") or "" for e in unpack(turn.data) if e["event"] == "user")


def leaks(settings: Settings, store: Store, logs: Iterable[Path]) -> list[str]:
    """What stands in the logs and must not, each with its log."""
    private = {text.strip() for text in told(store) if len(text.strip()) >= SHORTEST} | set(secrets(settings))
    found = []
    for path in logs:
        log = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.name}: {text[:100]!r}" for text in private if text in log]
    return found
