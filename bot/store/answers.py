"""Answers that staff write, every revision kept and one of them live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.answer_model import (
    CONTENT,
    Answer,
    AnswerStanding,
    AnswerState,
)
from bot.model import utc_now
from bot.review_model import SYSTEM, Conflict, GroupState, HistoryEntry, NotThere, ReviewError, Who
from bot.store.answer_tables import answer_revisions, answers
from bot.store.decisions import change_group
from bot.store.edition import edition, next_edition
from bot.store.history import append, last_of
from bot.store.placing import groups
from bot.store.plain import from_plain, to_plain
from bot.store.resolved import ResolvedStore
from bot.store.review_tables import question_groups

revisions, standings = answer_revisions.c, answers.c


class AnswerStore(ResolvedStore):
    """Writing answers. `before` is the latest revision that the person saw (0: none); another one means that
    somebody was faster, which raises Conflict."""

    def version(self) -> int:
        """A number that rises with every write of answers, and with every decision about questions."""
        return self._read(edition)

    # ------------------------------------------------------------ reading

    def answers(self) -> list[Answer]:
        """The answers that staff wrote and that visitors get, by topic."""
        live = answer_revisions.join(
            answers, (standings.topic == revisions.topic) & (standings.live == revisions.revision)
        )
        query = sa.select(answer_revisions).select_from(live).order_by(revisions.topic)
        return self._read(lambda c: [_answer(row) for row in c.execute(query).mappings()])

    def answer_standings(self) -> list[AnswerStanding]:
        """Every answer that staff ever touched, withdrawn and waiting ones too, by topic."""
        return self._read(lambda c: _standings(c))

    def answer_standing(self, topic: str) -> AnswerStanding | None:
        """One of them; None when staff never touched this topic."""
        return self._read(lambda c: next(iter(_standings(c, topic)), None))

    def pending_answers(self) -> list[Answer]:
        """Revisions that wait for a second person."""
        return [standing.latest for standing in self.answer_standings() if standing.waits]

    def due_answers(self) -> list[Answer]:
        """Answers whose review-by day has passed, the longest overdue first."""
        due = [standing.latest for standing in self.answer_standings() if standing.due]
        return sorted(due, key=lambda answer: (answer.review_by or date.max, answer.topic))

    def revisions(self, topic: str) -> list[Answer]:
        """Every revision of an answer, newest first."""
        query = sa.select(answer_revisions).where(revisions.topic == topic)
        query = query.order_by(revisions.revision.desc())
        return self._read(lambda c: [_answer(row) for row in c.execute(query).mappings()])

    # ------------------------------------------------------------ writing

    def save(
        self,
        answer: Answer,
        before: int,
        who: Who,
        action: str = "wrote",
        waits: bool = False,
        group: tuple[str, int] | None = None,
        undoes: str | None = None,
        has_default: bool = False,
    ) -> Answer:
        """Adds a revision; it is live at once unless it `waits` for a second person.

        has_default: domain.yml has a text for this topic, which stands again when the answer is withdrawn.
        group: id and version of the question that it was written for, which is answered once it is live.
        """
        written = replace(
            answer, revision=before + 1, written_by=who.name, written_at=utc_now(),
            state=AnswerState.DRAFT if waits else answer.state,
            approved_by="" if waits else who.name, approved_at=None if waits else utc_now(),
        )  # fmt: skip
        if not waits and answer.state is AnswerState.DRAFT:
            written = replace(written, state=AnswerState.APPROVED)

        def work(connection: Connection) -> None:
            standing = next(iter(_standings(connection, answer.topic)), None)
            if (standing.latest.revision if standing else 0) != before:
                raise Conflict(last_of(connection, answer.topic))
            row = {**_row(written), "written_by_id": who.id, "group_id": group[0] if group else ""}
            connection.execute(sa.insert(answer_revisions), row)
            kept = {"live": standing.live, "due": standing.due} if standing else {"live": None, "due": False}
            values = {"latest": written.revision, **(kept if waits else _live(written))}
            _stand(connection, answer.topic, before, values)
            changed = _changed(standing.latest if standing else None, written)
            data = {"revision": written.revision, "changed": changed, "waits": waits}
            append(connection, _entry(who, action, answer.topic, data, undoes))
            if group and waits:
                change_group(
                    connection, group[0], group[1], who, "needs_answer", {"topic": answer.topic},
                    state=GroupState.IN_REVIEW.value, needs_answer=True,
                )  # fmt: skip
            elif group:
                _settle(connection, group[0], group[1], who, answer.topic)
            if written.state is AnswerState.WITHDRAWN and not has_default:
                _bring_back(connection, answer.topic)
            next_edition(connection)

        try:
            self._write(work)
        except sa.exc.IntegrityError:  # PostgreSQL lets two writers of the same revision come this far
            raise Conflict(self._read(lambda c: last_of(c, answer.topic))) from None
        return written

    def approve(self, topic: str, revision: int, who: Who) -> None:
        """Makes the waiting revision live. Whoever wrote it can't approve it."""

        def work(connection: Connection) -> None:
            query = sa.select(answer_revisions).where(
                revisions.topic == topic, revisions.revision == revision
            )
            row = connection.execute(query).mappings().first()
            standing = next(iter(_standings(connection, topic)), None)
            if row is None or standing is None:
                raise NotThere("There is no such answer.")
            if standing.latest.revision != revision or not standing.waits:
                raise Conflict(last_of(connection, topic))
            if row["written_by_id"] == who.id:
                raise ReviewError("A second person has to approve it: you wrote it yourself.")
            approved = replace(
                _answer(row), state=AnswerState.APPROVED, approved_by=who.name, approved_at=utc_now()
            )
            values = {name: getattr(approved, name) for name in ("approved_by", "approved_at")}
            connection.execute(
                sa.update(answer_revisions)
                .where(revisions.topic == topic, revisions.revision == revision)
                .values(**values, state=approved.state.value)
            )
            _stand(connection, topic, revision, _live(approved))
            append(connection, _entry(who, "approved", topic, {"revision": revision}))
            group = connection.execute(
                sa.select(groups.id, groups.version).where(
                    groups.id == row["group_id"], groups.state == GroupState.IN_REVIEW.value
                )
            ).first()
            if group:
                _settle(connection, group.id, group.version, who, topic)
            next_edition(connection)

        self._write(work)

    def restore(self, topic: str, revision: int, before: int, who: Who, waits: bool = False) -> Answer:
        """Says again what an earlier revision said; owner and review-by day stay as they are now."""
        of_topic = self.revisions(topic)
        old = next((one for one in of_topic if one.revision == revision), None)
        if old is None:
            raise NotThere("There is no such revision.")
        now = of_topic[0]
        again = replace(old, owner=now.owner, review_by=now.review_by, state=AnswerState.APPROVED)
        return self.save(again, before, who, "restored", waits)

    def withdraw(self, topic: str, before: int, who: Who, has_default: bool = False) -> Answer:
        """Takes an answer of staff away: the text of domain.yml stands again, if it has one."""
        standing = self.answer_standing(topic)
        if standing is None:
            raise NotThere("There is no such answer.")
        gone = replace(standing.latest, state=AnswerState.WITHDRAWN)
        return self.save(gone, before, who, "withdrew", has_default=has_default)

    def undo_answer(
        self,
        topic: str,
        before: int,
        who: Who,
        entry_id: str,
        waits: bool = False,
        has_default: bool = False,
    ) -> Answer:
        """Takes the latest step back: the revision before it stands again."""
        history = self.history(topic, limit=1000)
        entry = next(iter(undoable_steps(history)), None)
        if entry is None or entry.id != entry_id:
            raise Conflict(history[0] if history else None)
        of_topic = self.revisions(topic)
        step = int(entry.data["revision"])
        earlier = next((one for one in of_topic if one.revision < step and one.approved_at), None)
        again = earlier or replace(of_topic[0], state=AnswerState.WITHDRAWN)
        if again.state is AnswerState.WITHDRAWN:
            waits = False
        return self.save(again, before, who, "undid", waits, undoes=entry.id, has_default=has_default)

    def mark_due(self, today: date) -> list[str]:
        """Brings answers back to the queue whose review-by day has passed, each once; their topics."""

        def work(connection: Connection) -> list[str]:
            live = answer_revisions.join(
                answers, (standings.topic == revisions.topic) & (standings.live == revisions.revision)
            )
            passed = sa.select(standings.topic, revisions.review_by).select_from(live)
            passed = passed.where(standings.due.is_(False), revisions.review_by < today)
            found = []
            for topic, day in connection.execute(passed.order_by(standings.topic)).all():
                change = sa.update(answers).where(standings.topic == topic, standings.due.is_(False))
                if connection.execute(change.values(due=True)).rowcount == 1:
                    append(connection, _entry(SYSTEM, "review_due", topic, {"review_by": day.isoformat()}))
                    found.append(topic)
            return found

        return self._write(work)


def undoable_steps(history: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """The steps of an answer that can be taken back, newest first."""
    undone = {entry.undoes for entry in history if entry.undoes}
    steps = ("wrote", "restored", "withdrew", "imported")
    return [entry for entry in history if entry.action in steps and entry.id not in undone]


def _standings(connection: Connection, topic: str | None = None) -> list[AnswerStanding]:
    latest = answer_revisions.join(
        answers, (standings.topic == revisions.topic) & (standings.latest == revisions.revision)
    )
    query = sa.select(answer_revisions, standings.live, standings.due).select_from(latest)
    if topic is not None:
        query = query.where(standings.topic == topic)
    rows = connection.execute(query.order_by(revisions.topic)).mappings()
    return [AnswerStanding(_answer(row), row["live"], row["due"]) for row in rows]


def _stand(connection: Connection, topic: str, before: int, values: dict[str, Any]) -> None:
    if before == 0:
        connection.execute(sa.insert(answers).values(topic=topic, **values))
        return
    change = sa.update(answers).where(standings.topic == topic, standings.latest == before)
    if connection.execute(change.values(**values)).rowcount != 1:
        raise Conflict(last_of(connection, topic))


def _live(answer: Answer) -> dict[str, Any]:
    return {"live": answer.revision if answer.state is AnswerState.APPROVED else None, "due": False}


def _changed(old: Answer | None, new: Answer) -> list[str]:
    if old is None:
        return []
    return [name for name in CONTENT if getattr(old, name) != getattr(new, name)]


def _settle(connection: Connection, group_id: str, version: int, who: Who, topic: str) -> None:
    change_group(
        connection, group_id, version, who, "answered", {"topic": topic, "new": True},
        state=GroupState.ANSWERED.value, topic=topic, needs_answer=False,
    )  # fmt: skip


def _bring_back(connection: Connection, topic: str) -> None:
    """Questions that lose their answer are new again."""
    query = sa.select(question_groups).where(
        groups.topic == topic, groups.state == GroupState.ANSWERED.value, groups.duplicate_of.is_(None)
    )
    for row in connection.execute(query).mappings().all():
        change_group(
            connection, row["id"], row["version"], SYSTEM, "returned", {"because": "withdrawn"},
            state=GroupState.NEW.value,
        )  # fmt: skip


def _entry(
    who: Who, action: str, topic: str, data: dict[str, Any], undoes: str | None = None
) -> HistoryEntry:
    return HistoryEntry(who.name, action, "answer", topic, who_id=who.id, data=data, undoes=undoes)


def _row(answer: Answer) -> dict[str, Any]:
    times = ("review_by", "written_at", "approved_at")
    return {
        name: getattr(answer, name) if name in times else to_plain(getattr(answer, name))
        for name in Answer.__dataclass_fields__
    }


def _answer(row: Any) -> Answer:
    values = dict(row)
    review_by = values.pop("review_by")
    return replace(from_plain(Answer, values), review_by=review_by)
