"""Groups of questions: placing new questions, listing groups, one group's page."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import Candidate, Reason, UnansweredQuestion, new_id, utc_now
from bot.review_model import (
    SYSTEM,
    Anchor,
    Comment,
    GroupFilter,
    GroupPage,
    GroupState,
    HistoryEntry,
    NotThere,
    QuestionGroup,
)
from bot.store.history import HistoryStore, append, entries
from bot.store.plain import clean
from bot.store.review_tables import group_comments, question_groups, question_places, review_history
from bot.store.tables import from_row, unanswered_questions

HALF_LIFE_DAYS = 7.0
"""After so many days without being asked, a question of two people ranks like a new one of one person."""

LATEST = 5
"""Questions of a group whose nearest topics are looked at."""

MOST_SHOWN = 200
"""Questions that the page of one group holds."""

_LOCK = 0x6D696C6962  # one process places questions at a time

groups, places, asked = question_groups.c, question_places.c, unanswered_questions.c
_PLACED_QUESTIONS = question_places.join(unanswered_questions, asked.id == places.question_id)


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


class GroupStore(HistoryStore):
    """Reading and filling the review queue."""

    # ------------------------------------------------------------ placing

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
            for question_id, vector in vectors:
                _place(connection, question_id, vector, nearest, return_after)

        self._write(work)

    def recount_groups(self, group_ids: Iterable[str], total: Sum) -> None:
        """Counts groups anew after questions were moved or erased; groups without questions go away."""
        ids = list(group_ids)
        self._write(lambda connection: recount(connection, ids, total))

    def groups_of(self, person_key: str) -> list[str]:
        """The groups (and merged anchors) in which this person's questions stand."""
        query = sa.select(places.group_id, places.anchor_id).where(places.person_key == person_key)
        return self._read(lambda c: sorted({i for row in c.execute(query) for i in row}))

    # ------------------------------------------------------------ the queue

    def list_groups(self, wanted: GroupFilter, limit: int = 25, skip: int = 0) -> list[QuestionGroup]:
        """Groups in the order of people x recency."""
        query = sa.select(question_groups).where(groups.duplicate_of.is_(None), groups.questions > 0)
        if wanted.states:
            query = query.where(groups.state.in_(wanted.states))
        if wanted.needs_answer:
            query = query.where(groups.needs_answer)
        if wanted.assignee:
            query = query.where(groups.assignee == wanted.assignee)
        if wanted.reason or wanted.channel:
            holds = (
                sa.select(sa.literal(1)).select_from(_PLACED_QUESTIONS).where(places.group_id == groups.id)
            )
            if wanted.reason:
                holds = holds.where(asked.reason == wanted.reason)
            if wanted.channel:
                holds = holds.where(asked.channel == wanted.channel)
            query = query.where(holds.exists())
        for word in clean(wanted.text).lower().split()[:8]:
            with_word = sa.select(places.group_id).select_from(_PLACED_QUESTIONS)
            with_word = with_word.where(sa.func.lower(asked.text).contains(word, autoescape=True))
            query = query.where(groups.id.in_(with_word))
        query = query.order_by(groups.rank.desc(), groups.id).limit(limit).offset(skip)
        return self._read(lambda c: _with_details(c, c.execute(query).mappings().all()))

    def count_states(self) -> dict[str, int]:
        """How many groups are in each state."""
        query = sa.select(groups.state, sa.func.count()).where(
            groups.duplicate_of.is_(None), groups.questions > 0
        )
        return self._read(lambda c: dict(c.execute(query.group_by(groups.state)).all()))

    def some_groups(self, ids: Sequence[str]) -> list[QuestionGroup]:
        """These groups, in this order; those that don't exist are left out."""
        query = sa.select(question_groups).where(groups.id.in_(ids), groups.questions > 0)
        found = self._read(lambda c: _with_details(c, c.execute(query).mappings().all()))
        return sorted(found, key=lambda group: ids.index(group.id))

    # ------------------------------------------------------------ one group

    def group_page(self, group_id: str) -> GroupPage:
        """Everything about one group.

        Raises:
            NotThere: there is no such group; its `args[1]`, if any, is the group that it was merged into.
        """

        def work(connection: Connection) -> GroupPage:
            row = group_row(connection, group_id)
            if row["duplicate_of"]:
                raise NotThere("It was merged into another question.", row["duplicate_of"])
            if not row["questions"]:
                raise NotThere("Everything in it was erased.")
            shown = (
                sa.select(unanswered_questions)
                .select_from(_PLACED_QUESTIONS)
                .where(places.group_id == group_id)
            )
            shown = shown.order_by(asked.asked_at.desc()).limit(MOST_SHOWN)
            said = sa.select(group_comments).where(group_comments.c.group_id == group_id)
            done = sa.select(review_history).where(review_history.c.subject_id == group_id)
            return GroupPage(
                group=_with_details(connection, [row])[0],
                questions=tuple(
                    from_row(UnansweredQuestion, q) for q in connection.execute(shown).mappings()
                ),
                comments=tuple(
                    Comment(**c) for c in connection.execute(said.order_by(group_comments.c.at)).mappings()
                ),
                history=tuple(
                    entries(connection.execute(done.order_by(review_history.c.at.desc())).mappings())
                ),
            )

        return self._read(work)


# ------------------------------------------------------------ placing


def _anchors(connection: Connection, since: datetime | None) -> list[Anchor]:
    query = sa.select(groups.id, groups.total, groups.duplicate_of)
    if since is not None:
        query = query.where(groups.changed_at >= since)
    return [Anchor(row.id, row.total, row.duplicate_of or row.id) for row in connection.execute(query)]


def _place(
    connection: Connection, question_id: str, vector: bytes, nearest: Nearest, return_after: int
) -> None:
    question = connection.execute(
        sa.select(asked.person_key, asked.reason, asked.asked_at).where(asked.id == question_id)
    ).first()
    placed = connection.execute(sa.select(sa.literal(1)).where(places.question_id == question_id)).first()
    if question is None or placed:  # erased, or another process was faster
        return
    now = utc_now()
    anchor = nearest.find(vector)
    if anchor is None:
        anchor = new_id()
        new = {"state": GroupState.NEW.value, "total": b"", "changed_at": now}
        times = {"first_asked_at": question.asked_at, "last_asked_at": question.asked_at}
        connection.execute(sa.insert(question_groups).values(id=anchor, **new, **times))
    root = nearest.root(anchor) if anchor else anchor
    known = connection.execute(
        sa.select(sa.literal(1)).where(places.group_id == root, places.person_key == question.person_key)
    ).first()
    place = {"question_id": question_id, "person_key": question.person_key, "vector": vector}
    connection.execute(sa.insert(question_places).values(group_id=root, anchor_id=anchor, **place))
    total = nearest.add(anchor, vector)
    connection.execute(
        sa.update(question_groups).where(groups.id == anchor).values(total=total, changed_at=now)
    )
    _count_one_more(connection, root, question, new_person=known is None, return_after=return_after)


def _count_one_more(
    connection: Connection, group_id: str, question: Any, new_person: bool, return_after: int
) -> None:
    row = group_row(connection, group_id)
    people = row["people"] + new_person
    last = max(row["last_asked_at"], question.asked_at)
    values: dict[str, Any] = {
        "people": people,
        "questions": row["questions"] + 1,
        "first_asked_at": min(row["first_asked_at"], question.asked_at),
        "last_asked_at": last,
        "rank": rank(people, last),
        "urgent": row["urgent"] or question.reason == Reason.RED_FLAG.value,
    }
    sticky = row["state"] in (GroupState.DISMISSED.value, GroupState.ANSWERED.value)
    if sticky and people - row["people_at_decision"] >= return_after:
        values.update(state=GroupState.NEW.value, version=row["version"] + 1)
        data = {"before": {"state": row["state"], "people_at_decision": row["people_at_decision"]}}
        append(connection, HistoryEntry(SYSTEM.name, "returned", "group", group_id, data=data))
    connection.execute(sa.update(question_groups).where(groups.id == group_id).values(**values))


def rank(people: int, last_asked_at: datetime) -> float:
    """Orders like people x 2^(-age / half-life) at any time, so that it need not be computed anew."""
    return math.log2(max(people, 1)) + last_asked_at.timestamp() / 86400 / HALF_LIFE_DAYS


def recount(connection: Connection, ids: Sequence[str], total: Sum) -> None:
    """Counts these groups and adds up the vectors of these anchors anew; empty ones go away."""
    for group_id in ids:
        row = connection.execute(
            sa.select(
                sa.func.count().label("questions"),
                sa.func.count(asked.person_key.distinct()).label("people"),
                sa.func.min(asked.asked_at).label("first"),
                sa.func.max(asked.asked_at).label("last"),
                sa.func.max(sa.case((asked.reason == Reason.RED_FLAG.value, 1), else_=0)).label("urgent"),
            )
            .select_from(_PLACED_QUESTIONS)
            .where(places.group_id == group_id)
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


# ------------------------------------------------------------ reading


def group_row(connection: Connection, group_id: str) -> Mapping[str, Any]:
    row = connection.execute(sa.select(question_groups).where(groups.id == group_id)).mappings().first()
    if row is None or (
        not row["questions"] and not row["duplicate_of"] and row["total"] == b"" and row["version"]
    ):
        raise NotThere("This question does not exist, or everything in it was erased.")
    return dict(row)


def _with_details(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[QuestionGroup]:
    ids = [row["id"] for row in rows]
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for name in ("reason", "channel"):
        column = asked[name]
        query = (
            sa.select(places.group_id, column, sa.func.count())
            .select_from(_PLACED_QUESTIONS)
            .where(places.group_id.in_(ids))
            .group_by(places.group_id, column)
            .order_by(sa.func.count().desc(), column)
        )
        counts[name] = defaultdict(dict)
        for group_id, value, number in connection.execute(query):
            counts[name][group_id][value] = number
    examples, nearest = _latest_questions(connection, ids)
    return [
        QuestionGroup(
            **{key: row[key] for key in _COPIED},
            state=GroupState(row["state"]),
            example=examples.get(row["id"], ""),
            reasons=counts["reason"].get(row["id"], {}),
            channels=counts["channel"].get(row["id"], {}),
            nearest=nearest.get(row["id"], ()),
        )
        for row in rows
    ]


_COPIED = (
    "id topic assignee needs_answer version people questions urgent first_asked_at last_asked_at duplicate_of"
).split()


def _latest_questions(
    connection: Connection, ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, tuple[Candidate, ...]]]:
    """The example of each group (its first question), and the topics that its latest ones came close to."""
    newest = sa.func.row_number().over(partition_by=places.group_id, order_by=asked.asked_at.desc())
    oldest = sa.func.row_number().over(partition_by=places.group_id, order_by=(asked.asked_at, asked.id))
    ranked = (
        sa.select(
            places.group_id, asked.text, asked.candidates, newest.label("newest"), oldest.label("oldest")
        )
        .select_from(_PLACED_QUESTIONS)
        .where(places.group_id.in_(ids))
        .subquery()
    )
    query = sa.select(ranked).where((ranked.c.newest <= LATEST) | (ranked.c.oldest == 1))
    examples: dict[str, str] = {}
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    looked_at: dict[str, int] = defaultdict(int)
    for row in connection.execute(query):
        if row.oldest == 1:
            examples[row.group_id] = row.text
        if row.newest <= LATEST:
            looked_at[row.group_id] += 1
            for candidate in row.candidates:
                if candidate["intent"] == "out_of_scope":
                    continue  # that is why it is here
                sums[row.group_id][candidate["intent"]] += candidate["confidence"]
    nearest = {
        group_id: tuple(
            Candidate(intent, confidence / looked_at[group_id])
            for intent, confidence in sorted(of_group.items(), key=lambda pair: -pair[1])[:3]
        )
        for group_id, of_group in sums.items()
    }
    return examples, nearest
