"""What the staff app does by itself: every round is tried, and none that fails ends it."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bot.answer_model import Answer
from bot.model import utc_now
from bot.review_model import HistoryEntry, Who
from bot.staff_work import StaffWork
from bot.store.staff_store import StaffStore


class Watched(StaffStore):
    """Says when outdated answers have been looked for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.looked = threading.Event()

    def mark_due(self, today: date) -> list[str]:
        found = super().mark_due(today)
        self.looked.set()
        return found


def test_outdated_answers_come_back_though_other_work_fails(tmp_path: Path) -> None:
    store = Watched(f"sqlite:///{tmp_path / 'milia.db'}")
    store.migrate()
    store.remember(HistoryEntry("system", "retention", "system", "retention", at=utc_now()))
    store.save(Answer("faq/pain", "Pain", "No.", review_by=date(2026, 3, 1)), 0, Who("Kim"))

    def fails(*_: Any) -> None:
        raise RuntimeError("the encoder is broken")

    parts: Any = SimpleNamespace(group_new=fails, work=fails)
    work = StaffWork(store, parts, parts, parts, lambda: date(2026, 3, 2))
    work.start()
    assert store.looked.wait(60)
    work.stop()
    assert [answer.topic for answer in store.due_answers()] == ["faq/pain"]
    store.close()
