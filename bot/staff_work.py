"""What the staff app does by itself, beside its pages: grouping, emails, outdated answers, the clean-up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date, timedelta

from bot.model import utc_now
from bot.notify import Notifier
from bot.privacy import enforce_retention
from bot.review import Review
from bot.settings import Settings
from bot.store.staff_store import StaffStore
from bot.store.store import StoreUnavailable

logger = logging.getLogger(__name__)

EVERY = 1.0
NOTIFY_EVERY = 5
"""Rounds between two looks for emails to send: what comes in together is told in one."""

RETENTION_EVERY = timedelta(days=1)


class StaffWork:
    """A thread that works every second until stopped. No failure ends it.

    today: the day at the clinic, by which answers have to be looked at again.
    """

    def __init__(
        self,
        store: StaffStore,
        review: Review,
        notifier: Notifier,
        settings: Settings,
        today: Callable[[], date],
    ) -> None:
        self._store = store
        self._review = review
        self._notifier = notifier
        self._settings = settings
        self._today = today
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="staff-work", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        rounds = 0
        while not self._stop.wait(EVERY):
            self._try("Grouping questions", self._review.group_new)
            if rounds % NOTIFY_EVERY == 0:
                self._try("Sending emails", self._notifier.work)
            if rounds % 600 == 0:
                self._try("Deleting what is too old", self._retain)
            if rounds % 60 == 0:
                self._try("Looking for outdated answers", lambda: self._store.mark_due(self._today()))
            rounds += 1

    def _retain(self) -> None:
        last = self._store.history("retention", "retention", limit=1)
        if not last or utc_now() - last[0].at > RETENTION_EVERY:
            enforce_retention(self._store, self._settings)

    def _try(self, what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreUnavailable as error:
            logger.info("%s has to wait: the database can't be used (%s).", what, error)
        except Exception:
            logger.exception("%s failed.", what)
