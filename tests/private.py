"""What must stand in no log: what visitors wrote, whom they asked to call, and every secret.

Whoever starts processes for a test holds their logs against this when they have ended, so that what the whole run
has sent is looked for. tests/test_private.py shows that it is found.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from bot.settings import Settings
from bot.store.store import Store
from bot.store.turn_codec import unpack

SHORTEST = 12
"""Characters of a text that can't be in a log by chance."""
BEGINNING = 40
"""Characters of a text by which it is known, so that one that was cut is found too."""

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_NUMBER = re.compile(r"\+?\d(?:[ ()-]{0,2}\d){8,14}")


def secrets(settings: Settings) -> Iterator[str]:
    """The secrets that a system has been given, and the tokens that are made of them."""
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if field.metadata["secret"] and value:
            yield from [value] if isinstance(value, str) else [token for _, token in value]
    for purpose in ("models", "actions"):
        yield settings.signing_key(purpose).hex()


def told(store: Store) -> Iterator[str]:
    """What visitors have told a system, and the tokens of their sessions as far as they are always the same."""
    for request in store.callbacks(100_000):
        yield from (request.phone, *parts(request.name))
    for conversation in store.conversations():
        yield base64.urlsafe_b64encode(json.dumps(conversation).encode()).decode().rstrip("=")
        for turn in store.turns(conversation):
            for event in unpack(turn.data):
                if event["event"] == "user":
                    yield from parts(event.get("text") or "")


def parts(text: str) -> Iterator[str]:
    """A text as a log may quote it, and the addresses and numbers in it."""
    beginning = text.strip()[:BEGINNING].strip()
    if len(beginning) >= SHORTEST:
        yield from (beginning, repr(beginning)[1:-1], json.dumps(beginning)[1:-1])
    yield from _ADDRESS.findall(text)
    yield from _NUMBER.findall(text)


def leaks(settings: Settings, store: Store, logs: Iterable[Path], *others: str) -> list[str]:
    """What stands in the logs and must not, each with its log. others: what else must not."""
    private = {*told(store), *secrets(settings), *others}
    found = []
    for path in logs:
        log = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.name}: {text[:100]!r}" for text in private if text in log]
    return found
