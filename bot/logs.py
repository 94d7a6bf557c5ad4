"""What processes log: one line an event on stderr, as text or JSON, with the id of the message it is about.

The id is made from the message itself, so that the webhook that takes it, the server that answers it and the
one that sends the reply, perhaps after a restart, all log the same. It can't be turned back into a person's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

JSON, TEXT = "json", "text"
DIGITS = 24
HEADER = "X-Milia-Turn"
"""Takes the id to the action server."""

_turn: ContextVar[str] = ContextVar("turn", default="")


def turn_of(conversation: str, message_id: str) -> str:
    """The id of the turn that answers a message."""
    text = f"{conversation}\0{message_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:DIGITS]


@contextmanager
def turn(turn_id: str) -> Iterator[None]:
    """What is logged inside belongs to this turn."""
    before = _turn.set(turn_id)
    try:
        yield
    finally:
        _turn.reset(before)


def take_up(turn_id: str) -> None:
    """From here on this task works on the turn of another process, which named it."""
    known = len(turn_id) == DIGITS and all(digit in "0123456789abcdef" for digit in turn_id)
    _turn.set(turn_id if known else "")


def current_turn() -> str:
    """The turn that is being worked on; empty when there is none."""
    return _turn.get()


def set_up(process: str, level: str, form: str = TEXT) -> None:
    """Has Python's loggers write to stderr from this level on.

    process: which of ours this is, for who collects the lines of several.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process) if form == JSON else TextLines())
    logging.basicConfig(level=level, handlers=[handler])


class TextLines(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return f"{line} [{_turn.get()}]" if _turn.get() else line


class JsonLines(logging.Formatter):
    """For machines: one object a line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if _turn.get():
            line["turn"] = _turn.get()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=repr)


def with_turn(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structlog, in which Rasa logs: time and turn."""
    event["time"] = datetime.now(timezone.utc).isoformat()
    if _turn.get():
        event["turn"] = _turn.get()
    return event
