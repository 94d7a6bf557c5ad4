"""Keeps something of the database up to date in a process, so that no message waits for the database."""

from __future__ import annotations

import logging
import threading

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the database: what staff save is live within two."""


class Live:
    """Looks again every second, in a thread of its own, from the first moment on.

    Whatever goes wrong, what was known last is given: `look` raises, and the next round tries again.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stop = threading.Event()
        self.refresh()
        threading.Thread(target=self._watch, name=name, daemon=True).start()

    def look(self) -> None:
        """Reads what is live now. Subclasses say how."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Looks at once."""
        try:
            self.look()
        except Exception as error:  # the database is away, or its tables are not there yet
            logger.debug("%s can't be read (%s).", self._name, error)

    def stop(self) -> None:
        """Ends the looking; what was known last stays."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY):
            self.refresh()
