"""Lines of JSON between a process and one that it started, whatever the libraries in it print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

Say = Callable[..., None]
"""Writes the lines, each a dict, that it is given."""

_PIPE = 1 << 16  # bytes that wait in a pipe


def own_stdout() -> Say:
    """Takes stdout for lines of JSON; what is printed from now on goes to stderr."""
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def say(*lines: dict[str, Any]) -> None:
        out.write("".join([json.dumps(line) + "\n" for line in lines]))

    return say


def asked() -> Iterator[dict[str, Any]]:
    """The lines that come in on stdin, until it is closed."""
    for line in sys.stdin:
        yield json.loads(line)


def asked_together(most: int) -> Iterator[list[dict[str, Any]]]:
    """The same, in lists of those that wait, `most` in each: instead of `asked`, not beside it."""
    begun = b""
    while piece := os.read(0, _PIPE):
        *lines, begun = (begun + piece).split(b"\n")
        for first in range(0, len(lines), most):
            yield [json.loads(line) for line in lines[first : first + most]]
