"""Lines of JSON between a process and one that it started, whatever the libraries in it print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

Say = Callable[[dict[str, Any]], None]


def own_stdout() -> Say:
    """Takes stdout for lines of JSON; what is printed from now on goes to stderr."""
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        out.write(json.dumps(line) + "\n")

    return say


def asked() -> Iterator[dict[str, Any]]:
    """The lines that come in on stdin, until it is closed."""
    for line in sys.stdin:
        yield json.loads(line)
