"""What is held on people: erased on request with a receipt, and deleted when its time is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.grouping import total_of
from bot.model import ErasureReceipt, Person, utc_now
from bot.review_model import SYSTEM, HistoryEntry, Who
from bot.settings import Settings
from bot.store.staff_store import StaffStore


@dataclass(frozen=True)
class Period:
    """How long rows of some tables are kept."""

    what: str
    tables: tuple[str, ...]
    days: int


def periods(settings: Settings) -> tuple[Period, ...]:
    """What is kept for how long."""
    return (
        Period("Conversations", ("conversation_turns",), settings.retention_days),
        Period("Call-back requests", ("callback_requests",), settings.retention_days),
        Period("Replies from staff", ("outgoing_replies",), settings.retention_days),
        Period(
            "Questions in the queue, without personal details",
            ("unanswered_questions",),
            settings.retention_question_days,
        ),
        Period(
            "What happened, without texts (for the charts)",
            ("events", "booking_handoffs", "notices"),
            settings.retention_question_days,
        ),
    )


def enforce_retention(store: StaffStore, settings: Settings, who: Who = SYSTEM) -> Mapping[str, int]:
    """Deletes what is older than it may be; rows by table. The history keeps the counts."""
    now = utc_now()
    rows: dict[str, int] = {}
    for period in periods(settings):
        for table in period.tables:
            rows[table] = store.delete_older(table, now - timedelta(days=period.days))
    changed = store.delete_orphans()
    store.recount_groups(changed, total_of)
    store.drop_sessions(now - timedelta(hours=settings.staff_session_hours))
    store.remember(HistoryEntry(who.name, "retention", "system", "retention", who.id, {"rows": rows}))
    return rows


def erase_person(
    store: StaffStore, person: Person, who: Who, spool: Any
) -> tuple[ErasureReceipt, HistoryEntry]:
    """Erases a person everywhere. The receipt and its line in the history, which keep no personal data."""
    groups = store.groups_of(person.key)
    receipt = store.erase_person(person, spool)
    store.recount_groups(groups, total_of)
    data = {"rows": dict(receipt.rows)}
    entry = HistoryEntry(who.name, "erased", "person", person.key, who.id, data, at=receipt.erased_at)
    store.remember(entry)
    return receipt, entry
