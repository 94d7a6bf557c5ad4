"""What processes log: one line an event on stderr, as text or JSON, with the id of the message it is about.

The id is made from the message itself, so that the webhook that takes it, the server that answers it and the
one that sends the reply, perhaps after a restart, all log the same. It can't be turned back into a person's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
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
    handler.addFilter(Repeats())
    logging.basicConfig(level=level, handlers=[handler])


class Repeats(logging.Filter):
    """Lets a warning through once a minute: while the database is away, each message would say so again. The
    next one tells how many were left out. Errors all pass: each may be a message that is lost."""

    EVERY = 60.0
    MOST = 1000  # different lines that are remembered

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}  # when last, and how many since

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING or record.exc_info:
            return True
        now, line = self._clock(), (record.name, record.getMessage())
        last, left_out = self._told.get(line, (-self.EVERY, 0))
        if now - last < self.EVERY:
            self._told[line] = (last, left_out + 1)
            return False
        if len(self._told) >= self.MOST:
            self._told.clear()
        self._told[line] = (now, 0)
        if left_out:
            record.msg, record.args = "%s (%d times more since)", (line[1], left_out)
        return True


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
