"""The wordings that staff have seen and settled, read from the groups that they decided on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.answer_model import CLINICAL, OUT_OF_SCOPE, ResolvedQuestion
from bot.model import Reason
from bot.review_model import GroupState
from bot.store.groups import GroupStore
from bot.store.placing import asked, groups, places
from bot.store.review_tables import question_groups, question_places
from bot.store.tables import unanswered_questions

MOST_RESOLVED = 20_000
"""Settled wordings that servers answer at once, the latest first."""

_REFUSED_WITH = {GroupState.OUT_OF_SCOPE.value: OUT_OF_SCOPE, GroupState.CLINICAL.value: CLINICAL}
_NOT_BY_WORDS = (
    Reason.UNSUPPORTED.value,
    Reason.RED_FLAG.value,
)  # a photo; what comes first whatever staff say
_SETTLED = (GroupState.ANSWERED.value, *_REFUSED_WITH)


class ResolvedStore(GroupStore):
    """Reading what was settled. Nothing is kept twice: who is erased takes their wordings along."""

    def resolved_questions(self) -> list[ResolvedQuestion]:
        """The wordings that staff saw when they settled their groups, with what they must get; latest first.

        What has been taken out of a wording (`[name]`) can't be asked again in the same words.
        """
        query = (
            sa.select(asked.text, groups.id, groups.state, groups.topic, groups.decided_by, groups.decided_at)
            .select_from(
                question_groups.join(question_places, places.group_id == groups.id).join(
                    unanswered_questions, asked.id == places.question_id
                )
            )
            .where(
                groups.state.in_(_SETTLED),
                groups.duplicate_of.is_(None),
                asked.asked_at <= groups.decided_at,
                asked.reason.notin_(_NOT_BY_WORDS),
                asked.text != "",
                ~asked.text.contains("["),
            )
            .order_by(groups.decided_at.desc(), asked.asked_at.desc(), asked.id)
            .limit(MOST_RESOLVED)
        )

        def work(connection: Connection) -> list[ResolvedQuestion]:
            found: dict[tuple[str, str], ResolvedQuestion] = {}
            for text, group_id, state, topic, by, at in connection.execute(query):
                intent = _REFUSED_WITH.get(state, topic)
                found.setdefault((text, intent), ResolvedQuestion(text, intent, by, at, group_id))
            return list(found.values())

        return self._read(work)
