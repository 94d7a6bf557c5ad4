"""Placing new questions into groups, and counting groups: a question and its counts change together."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import Reason, new_id, utc_now
from bot.review_model import SYSTEM, Anchor, GroupState, HistoryEntry, NotThere
from bot.store.edition import next_edition
from bot.store.history import HistoryStore, append
from bot.store.review_tables import group_comments, question_groups, question_places
from bot.store.tables import unanswered_questions

HALF_LIFE_DAYS = 7.0
"""After so many days without being asked, a question of two people ranks like a new one of one person."""

SETTLING = timedelta(seconds=10)
"""Whoever asks so soon after a decision may not have read what it changed, and says nothing against it."""

_LOCK = 0x6D696C6962  # one process places questions at a time

groups, places, asked = question_groups.c, question_places.c, unanswered_questions.c


class Nearest(Protocol):
    """Who finds the group that a question belongs to (bot/grouping.py)."""

    def learn(self, anchors: Sequence[Anchor]) -> None: ...

    def find(self, vector: bytes) -> str | None:
        """The anchor that draws this vector; None when none is near enough."""

    def add(self, anchor_id: str, vector: bytes) -> bytes:
        """Adds a vector (to a new anchor, if there is none of this id); the anchor's new total."""

    def root(self, anchor_id: str) -> str: ...


Sum = Callable[[Sequence[bytes]], bytes]
"""The total of stored vectors (bot/grouping.py)."""


class PlacingStore(HistoryStore):
    """Filling the review queue."""

    def ungrouped(self, since: datetime | None = None, limit: int = 200) -> list[tuple[str, str]]:
        """Id and text of questions that stand in no group yet, oldest first.

        since: looks only at questions asked after this, which is quicker.
        """
        query = (
            sa.select(asked.id, asked.text)
            .outerjoin(question_places, asked.id == places.question_id)
            .where(places.question_id.is_(None))
            .order_by(asked.asked_at)
            .limit(limit)
        )
        if since is not None:
            query = query.where(asked.asked_at >= since)
        return self._read(lambda c: [(row.id, row.text) for row in c.execute(query)])

    def place(
        self,
        vectors: Sequence[tuple[str, bytes]],
        nearest: Nearest,
        since: datetime | None,
        return_after: int,
    ) -> None:
        """Puts questions into the groups that `nearest` says.

        Args:
            vectors: question id and vector (float16 bytes).
            since: anchors that changed after this are learned first; None: all of them.
            return_after: a group that was dismissed or answered is new again after so many more people.
        """

        def work(connection: Connection) -> None:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
            nearest.learn(_anchors(connection, since))
            _place(connection, vectors, nearest, return_after)

        self._write(work)

    def recount_groups(self, group_ids: Iterable[str], total: Sum) -> None:
        """Counts groups anew after questions were moved or erased; groups without questions go away."""
        ids = list(group_ids)

        def work(connection: Connection) -> None:
            recount(connection, ids, total)
            next_edition(connection)  # wordings that were settled may be gone

        self._write(work)

    def groups_of(self, person_key: str) -> list[str]:
        """The groups (and merged anchors) in which this person's questions stand."""
        query = sa.select(places.group_id, places.anchor_id).where(places.person_key == person_key)
        return self._read(lambda c: sorted({i for row in c.execute(query) for i in row}))


def _anchors(connection: Connection, since: datetime | None) -> list[Anchor]:
    query = sa.select(groups.id, groups.total, groups.duplicate_of)
    if since is not None:
        query = query.where(groups.changed_at >= since)
    return [Anchor(row.id, row.total, row.duplicate_of or row.id) for row in connection.execute(query)]


def _place(
    connection: Connection, vectors: Sequence[tuple[str, bytes]], nearest: Nearest, return_after: int
) -> None:
    """Reads once what all of these questions need, and writes once what has become of it."""
    waiting = _waiting(connection, [question_id for question_id, _ in vectors])
    now = utc_now()
    begun: list[dict[str, Any]] = []
    placed: list[dict[str, Any]] = []
    totals: dict[str, bytes] = {}
    for question_id, vector in vectors:
        question = waiting.pop(question_id, None)
        if question is None:  # erased, or another process was faster
            continue
        anchor = nearest.find(vector)
        if anchor is None:
            anchor = new_id()
            new = {"state": GroupState.NEW.value, "total": b"", "changed_at": now}
            times = {"first_asked_at": question["asked_at"], "last_asked_at": question["asked_at"]}
            begun.append({"id": anchor, **new, **times})
        stands = {"vector": vector, "group_id": nearest.root(anchor), "anchor_id": anchor}
        placed.append({**question, **stands})
        totals[anchor] = nearest.add(anchor, vector)
    if not placed:
        return
    if begun:
        connection.execute(sa.insert(question_groups), begun)
    roots = {place["group_id"] for place in placed}
    counts = _counts(connection, roots | set(totals))
    asked_before = _people(connection, roots, {place["person_key"] for place in placed})
    for place in placed:
        who = (place["group_id"], place["person_key"])
        new_person = who not in asked_before
        asked_before.add(who)
        _count_one_more(connection, counts[place["group_id"]], place, new_person, return_after)
    connection.execute(sa.insert(question_places), placed)
    changed = [{"group": anchor, "total": total, "changed_at": now} for anchor, total in totals.items()]
    connection.execute(_CHANGE, changed)
    counted = [{"group": root, **{name: counts[root][name] for name in _COUNTED}} for root in roots]
    connection.execute(_CHANGE, counted)


_CHANGE = sa.update(question_groups).where(groups.id == sa.bindparam("group"))
"""Sets the columns that the rows name."""

_COUNTED = (
    "state version people_at_decision people questions first_asked_at last_asked_at rank urgent"
).split()


def _waiting(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is kept with the place of each of these questions that has none yet."""
    kept = (asked.person_key, asked.reason, asked.channel, asked.asked_at)
    query = (
        sa.select(asked.id.label("question_id"), *kept)
        .outerjoin(question_places, asked.id == places.question_id)
        .where(asked.id.in_(ids), places.question_id.is_(None))
    )
    return {row["question_id"]: dict(row) for row in connection.execute(query).mappings()}


def _counts(connection: Connection, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """What is counted of each of these groups. Nobody decides on them until the transaction is over.

    Raises:
        NotThere: one is gone that `Nearest` still knows, as when the database was put back.
    """
    query = sa.select(groups.id, groups.decided_at, *(groups[name] for name in _COUNTED))
    query = query.where(groups.id.in_(sorted(ids))).order_by(groups.id).with_for_update()
    found = {row["id"]: dict(row) for row in connection.execute(query).mappings()}
    if len(found) < len(ids):
        raise NotThere("A group of questions is not there any more.")
    return found


def _people(connection: Connection, ids: Iterable[str], keys: Iterable[str]) -> set[tuple[str, str]]:
    """Which of these people have asked which of these groups before: group and person."""
    query = sa.select(places.group_id, places.person_key).distinct()
    query = query.where(places.group_id.in_(sorted(ids)), places.person_key.in_(sorted(keys)))
    return {(row.group_id, row.person_key) for row in connection.execute(query)}


def _count_one_more(
    connection: Connection,
    group: dict[str, Any],
    place: Mapping[str, Any],
    new_person: bool,
    return_after: int,
) -> None:
    """Changes what is counted of a group by one question."""
    asked_at = place["asked_at"]
    group["people"] += new_person
    group["questions"] += 1
    group["first_asked_at"] = min(group["first_asked_at"], asked_at)
    group["last_asked_at"] = max(group["last_asked_at"], asked_at)
    group["rank"] = rank(group["people"], group["last_asked_at"])
    group["urgent"] = group["urgent"] or place["reason"] == Reason.RED_FLAG.value
    sticky = group["state"] in (GroupState.DISMISSED.value, GroupState.ANSWERED.value)
    decided_at = group["decided_at"] or asked_at
    if sticky and new_person and asked_at <= decided_at + SETTLING:
        group["people_at_decision"] += 1
    elif sticky and group["people"] - group["people_at_decision"] >= return_after:
        data = {"before": {name: group[name] for name in ("state", "people_at_decision")}}
        group.update(state=GroupState.NEW.value, version=group["version"] + 1)
        append(connection, HistoryEntry(SYSTEM.name, "returned", "group", group["id"], data=data))
        next_edition(connection)


def rank(people: int, last_asked_at: datetime) -> float:
    """Orders like people x 2^(-age / half-life) at any time, so that it need not be computed anew."""
    return math.log2(max(people, 1)) + last_asked_at.timestamp() / 86400 / HALF_LIFE_DAYS


def recount(connection: Connection, ids: Sequence[str], total: Sum) -> None:
    """Counts these groups and adds up the vectors of these anchors anew; empty ones go away."""
    for group_id in ids:
        row = connection.execute(
            sa.select(
                sa.func.count().label("questions"),
                sa.func.count(places.person_key.distinct()).label("people"),
                sa.func.min(places.asked_at).label("first"),
                sa.func.max(places.asked_at).label("last"),
                sa.func.max(sa.case((places.reason == Reason.RED_FLAG.value, 1), else_=0)).label("urgent"),
            ).where(places.group_id == group_id)
        ).one()
        vectors = (
            connection.execute(sa.select(places.vector).where(places.anchor_id == group_id)).scalars().all()
        )
        if not row.questions and not vectors:
            connection.execute(sa.delete(group_comments).where(group_comments.c.group_id == group_id))
            # Emptied rather than deleted: whoever holds it in memory learns that it draws nothing.
            values: dict[str, Any] = {"questions": 0, "people": 0, "total": b""}
        else:
            values = {"questions": row.questions, "people": row.people, "total": total(vectors)}
        if row.questions:
            values.update(first_asked_at=row.first, last_asked_at=row.last, urgent=bool(row.urgent))
            values.update(rank=rank(row.people, row.last))
        connection.execute(
            sa.update(question_groups).where(groups.id == group_id).values(**values, changed_at=utc_now())
        )


def group_row(connection: Connection, group_id: str) -> Mapping[str, Any]:
    row = connection.execute(sa.select(question_groups).where(groups.id == group_id)).mappings().first()
    if row is None or (
        not row["questions"] and not row["duplicate_of"] and row["total"] == b"" and row["version"]
    ):
        raise NotThere("This question does not exist, or everything in it was erased.")
    return dict(row)
