"""Groups of questions: listing them, counting them, one group's page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import Candidate, UnansweredQuestion
from bot.review_model import Comment, GroupFilter, GroupPage, GroupState, NotThere, QuestionGroup, close
from bot.store.history import entries
from bot.store.placing import PlacingStore, asked, group_row, groups, places
from bot.store.plain import clean
from bot.store.review_tables import group_comments, question_groups, question_places, review_history
from bot.store.tables import from_row, unanswered_questions

LATEST = 5
"""Questions of a group whose nearest topics are looked at."""

MOST_SHOWN = 50
"""Questions that the page of one group holds."""

_PLACED_QUESTIONS = question_places.join(unanswered_questions, asked.id == places.question_id)


class GroupStore(PlacingStore):
    """Reading the review queue."""

    def list_groups(self, wanted: GroupFilter, limit: int = 25, skip: int = 0) -> list[QuestionGroup]:
        """Red flags first; then in the order of people x recency."""
        query = sa.select(question_groups).where(groups.duplicate_of.is_(None), groups.questions > 0)
        if wanted.states:
            query = query.where(groups.state.in_(wanted.states))
        if wanted.needs_answer:
            query = query.where(groups.needs_answer)
        if wanted.assignee:
            query = query.where(groups.assignee == wanted.assignee)
        if wanted.reason or wanted.channel:
            holds = sa.select(sa.literal(1)).where(places.group_id == groups.id)
            if wanted.reason:
                holds = holds.where(places.reason == wanted.reason)
            if wanted.channel:
                holds = holds.where(places.channel == wanted.channel)
            query = query.where(holds.exists())
        for word in clean(wanted.text).lower().split()[:8]:
            with_word = sa.select(places.group_id).select_from(_PLACED_QUESTIONS)
            with_word = with_word.where(sa.func.lower(asked.text).contains(word, autoescape=True))
            query = query.where(groups.id.in_(with_word))
        query = query.order_by(groups.urgent.desc(), groups.rank.desc(), groups.id).limit(limit).offset(skip)
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
            shown = shown.order_by(places.asked_at.desc()).limit(MOST_SHOWN)
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


def _with_details(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[QuestionGroup]:
    ids = [row["id"] for row in rows]
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for name in ("reason", "channel"):
        column = places[name]
        query = (
            sa.select(places.group_id, column, sa.func.count())
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
    examples: dict[str, str] = {}
    nearest: dict[str, tuple[Candidate, ...]] = {}
    for (
        group_id
    ) in ids:  # small queries that an index answers; one for all would read all questions of large groups
        here = {"group": group_id}
        examples[group_id] = connection.execute(_FIRST_TEXT, here).scalar() or ""
        nearest[group_id] = _mean(connection.execute(_LATEST_CANDIDATES, here).scalars().all())
    return examples, nearest


_HERE = places.group_id == sa.bindparam("group")
_FIRST_TEXT = (
    sa.select(asked.text).select_from(_PLACED_QUESTIONS).where(_HERE).order_by(places.asked_at).limit(1)
)
_LATEST_CANDIDATES = (
    sa.select(asked.candidates)
    .select_from(_PLACED_QUESTIONS)
    .where(_HERE)
    .order_by(places.asked_at.desc())
    .limit(LATEST)
)


def _mean(of_questions: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[Candidate, ...]:
    """The three topics that came closest over these questions."""
    sums: dict[str, float] = defaultdict(float)
    for candidates in of_questions:
        for candidate in candidates:
            sums[candidate["intent"]] += candidate["confidence"]
    best = sorted(sums.items(), key=lambda pair: -pair[1])
    return close(Candidate(intent, confidence / len(of_questions)) for intent, confidence in best)[:3]
