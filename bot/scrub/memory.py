"""What was found in texts that come word for word again and again, as most replies and many questions do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from bot.scrub.span import Span


class Memory:
    """Searches a text once, and remembers by its digest where something stood: nothing of a text is kept.

    find: searches a text.
    most: texts that are remembered, a few hundred bytes each.
    """

    def __init__(self, find: Callable[[str], Sequence[Span]], most: int = 5000) -> None:
        self._find = find
        self._most = most
        self._found: dict[bytes, Sequence[Span]] = {}

    def find(self, text: str) -> Sequence[Span]:
        """What `find` gives for this text."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        spans = self._found.get(digest)
        if spans is None:
            spans = self._find(text)
            if len(self._found) >= self._most:
                self._found.clear()
            self._found[digest] = spans
        return spans
