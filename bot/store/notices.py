"""Emails to staff that wait to be sent: what kind, how many, never what a visitor wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.model import HandoffKind, Reason
from bot.store.history import HistoryStore
from bot.store.review_tables import notices
from bot.store.tables import booking_handoffs, callback_requests, unanswered_questions

CALLBACK, COMPLAINT, RED_FLAG, DIGEST = "callback", "complaint", "red_flag", "digest"
_LEASE = timedelta(minutes=5)

notice = notices.c


class NoticeStore(HistoryStore):
    """The spool of emails."""

    def spool_notices(self, since: datetime, now: datetime) -> int:
        """Queues a notice for everything after `since` that staff are told of at once, and has none yet."""
        sources = (
            (CALLBACK, callback_requests, callback_requests.c.requested_at, sa.true()),
            (
                COMPLAINT,
                booking_handoffs,
                booking_handoffs.c.given_at,
                booking_handoffs.c.kind == HandoffKind.HUMAN.value,
            ),
            (
                RED_FLAG,
                unanswered_questions,
                unanswered_questions.c.asked_at,
                unanswered_questions.c.reason == Reason.RED_FLAG.value,
            ),
        )

        def missing(connection: Connection) -> list[tuple[str, str]]:
            found = []
            for kind, table, time, wanted in sources:
                query = (sa.select(table.c.id).outerjoin(notices, notice.id == table.c.id)).where(
                    time >= since, wanted, notice.id.is_(None)
                )
                found += [(kind, record_id) for record_id in connection.execute(query).scalars()]
            return found

        found = self._read(missing)
        for kind, record_id in found:
            self.spool_notice(kind, record_id, now)
        return len(found)

    def spool_notice(self, kind: str, notice_id: str, now: datetime) -> None:
        """Queues one notice, unless there was one with this id."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = {"id": notice_id, "kind": kind, "created_at": now, "state": "queued", "attempts": 0}
        self._write(
            lambda c: c.execute(
                dialect.insert(notices).values(**row, next_try_at=now).on_conflict_do_nothing()
            )
        )

    def take_notices(self, now: datetime) -> dict[str, list[tuple[str, int]]]:
        """Takes what is due, by kind: (id, attempts so far). Another process does not get it for a while."""

        def work(connection: Connection) -> dict[str, list[tuple[str, int]]]:
            due = sa.select(notice.id, notice.kind, notice.attempts).where(
                notice.state == "queued", notice.next_try_at <= now
            )
            rows = connection.execute(due.limit(500).with_for_update(skip_locked=True)).all()
            connection.execute(
                sa.update(notices)
                .where(notice.id.in_([row.id for row in rows]))
                .values(next_try_at=now + _LEASE)
            )
            taken: dict[str, list[tuple[str, int]]] = {}
            for row in rows:
                taken.setdefault(row.kind, []).append((row.id, row.attempts))
            return taken

        return self._write(work)

    def finish_notices(self, ids: Sequence[str], sent: bool, retry_at: datetime | None = None) -> None:
        """Marks notices sent, due again at `retry_at`, or given up."""
        state = "sent" if sent else ("queued" if retry_at else "given_up")
        values = {"state": state, "attempts": notice.attempts + 1}
        if retry_at is not None:
            values["next_try_at"] = retry_at
        self._write(lambda c: c.execute(sa.update(notices).where(notice.id.in_(ids)).values(**values)))

    def notice_states(self) -> dict[str, int]:
        """How many are queued, sent and given up."""
        query = sa.select(notice.state, sa.func.count()).group_by(notice.state)
        return self._read(lambda c: dict(c.execute(query).all()))
