"""The use cases of the review: group questions, decide, take a decision back, reply to a person."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.grouping import Anchors, Encoder, total_of, vectors_of
from bot.model import Candidate, OutgoingReply, Reply, UnansweredQuestion, utc_now
from bot.review_model import (
    CallbackState,
    Comment,
    GroupPage,
    GroupState,
    QuestionGroup,
    ReviewError,
    Who,
)
from bot.store.staff_store import StaffStore
from bot.topics import Topics

LONGEST_REPLY = 2000
LONGEST_COMMENT = 2000
WRITABLE = {"website": "the website's chat", "facebook": "Messenger"}
"""Channels on which a person can be written to later."""

DISMISSALS = {
    "spam": "Spam or a test",
    "unclear": "Can't tell what is meant",
    "personal": "About one person only",
    "other": "Not worth an answer",
}

_BATCH = 64
_RECENT = timedelta(days=1)
_OVERLAP = timedelta(seconds=5)  # clocks of several servers differ


class Review:
    """What staff can do with questions.

    Args:
        encoder: makes the sentence encoder; called when the first question is grouped.
        return_after: people who ask again until a dismissed or answered question is new again.
    """

    def __init__(
        self,
        store: StaffStore,
        topics: Callable[[], Topics],
        encoder: Callable[[], Encoder],
        return_after: int,
    ) -> None:
        self.store = store
        self._topics = topics
        self._encoder = encoder
        self._return_after = return_after
        self._anchors = Anchors()
        self._learned_at: datetime | None = None
        self._placing = threading.Lock()
        self.look_everywhere()

    # ------------------------------------------------------------ grouping

    def group_new(self, most: int = 10_000) -> int:
        """Puts new questions into groups; says how many. Leaves it to whoever is at it already."""
        if not self._placing.acquire(blocking=False):
            return 0
        try:
            return self._group_new(most)
        finally:
            self._placing.release()

    def look_everywhere(self) -> None:
        """Lets the next grouping look at old questions too; it does by itself once an hour."""
        self._looked_everywhere = datetime.min.replace(tzinfo=timezone.utc)

    def _group_new(self, most: int) -> int:
        count = 0
        now = utc_now()
        everywhere = now - self._looked_everywhere > timedelta(hours=1)
        since = None if everywhere else now - _RECENT
        while count < most and (found := self.store.ungrouped(since, _BATCH)):
            vectors = vectors_of([text for _, text in found], self._encoder())
            self._place([(one[0], vector) for one, vector in zip(found, vectors, strict=True)])
            count += len(found)
            if len(found) < _BATCH:
                break
        if everywhere and count < most:
            self._looked_everywhere = now
        return count

    def _place(self, vectors: Sequence[tuple[str, bytes]]) -> None:
        started = utc_now()
        since = self._learned_at - _OVERLAP if self._learned_at else None
        try:
            with self._anchors.lock:
                self.store.place(vectors, self._anchors, since, self._return_after)
        except BaseException:  # what it learned may have been rolled back
            self._anchors, self._learned_at = Anchors(), None
            raise
        self._learned_at = started

    def related(self, group: QuestionGroup) -> list[QuestionGroup]:
        """Groups that may mean the same."""
        with self._anchors.lock:
            ids = self._anchors.related(group.id)
        return self.store.some_groups(ids)

    def nearest_topics(self, group: QuestionGroup) -> list[tuple[Candidate, Any]]:
        """The topics that came closest, with their answers."""
        topics = self._topics()
        return [(near, topics.get(near.intent)) for near in group.nearest if near.intent in topics]

    # ------------------------------------------------------------ deciding

    def answered_by(self, group_id: str, version: int, who: Who, topic: str) -> None:
        """The question is what a topic answers already."""
        if topic not in self._topics():
            raise ReviewError("Choose the topic that answers this question.")
        self.store.decide(
            group_id, version, who, "answered",
            {"topic": topic}, state=GroupState.ANSWERED.value, topic=topic, needs_answer=False,
        )  # fmt: skip

    def needs_answer(self, group_id: str, version: int, who: Who) -> None:
        """The clinic should answer this; somebody has to write it."""
        self.store.decide(
            group_id, version, who, "needs_answer", state=GroupState.IN_REVIEW.value, needs_answer=True
        )

    def dismiss(self, group_id: str, version: int, who: Who, reason: str) -> None:
        """Not worth an answer. It stays so when asked again, until many more people ask."""
        if reason not in DISMISSALS:
            raise ReviewError("Choose why it is dismissed.")
        self.store.decide(
            group_id, version, who, "dismissed", {"reason": reason},
            state=GroupState.DISMISSED.value, needs_answer=False,
        )  # fmt: skip

    def set_state(self, group_id: str, version: int, who: Who, state: GroupState) -> None:
        """Clinical (never answered by the bot), out of scope, or new again."""
        actions = {
            GroupState.CLINICAL: "clinical",
            GroupState.OUT_OF_SCOPE: "out_of_scope",
            GroupState.NEW: "reopened",
        }
        self.store.decide(group_id, version, who, actions[state], state=state.value, needs_answer=False)

    def assign(self, group_id: str, version: int, who: Who, account_id: str) -> None:
        """Asks a colleague to look at it, or nobody."""
        active = {account.id for account in self.store.accounts() if account.active}
        if account_id and account_id not in active:
            raise ReviewError("That colleague has no account any more.")
        page = self.store.group_page(group_id)
        changes: dict[str, Any] = {"assignee": account_id}
        if page.group.state is GroupState.NEW and account_id:
            changes["state"] = GroupState.IN_REVIEW.value
        self.store.decide(group_id, version, who, "assigned", {"to": account_id}, **changes)

    def comment(self, group_id: str, who: Who, text: str) -> None:
        """Says something to colleagues."""
        text = text.strip()[:LONGEST_COMMENT]
        if not text:
            raise ReviewError("Write a comment first.")
        self.store.comment(Comment(group_id, who.name, text), who)

    def split(self, group_id: str, version: int, who: Who, question_ids: Sequence[str]) -> str:
        """Takes some questions out into a group of their own; its id."""
        return self.store.split(group_id, version, who, question_ids, total_of)

    def merge(self, group_id: str, version: int, who: Who, source_id: str) -> None:
        """Two groups ask the same."""
        self.store.merge(group_id, version, who, source_id, total_of)

    def undo(self, group_id: str, version: int, who: Who, entry_id: str) -> None:
        """Takes the latest action back."""
        self.store.undo(group_id, version, who, entry_id, total_of)

    # ------------------------------------------------------------ replying

    def reply(self, group_id: str, version: int, who: Who, question_id: str, text: str) -> UnansweredQuestion:
        """Writes to the person who asked one of the questions; the question."""
        question = _question(self.store.group_page(group_id), question_id)
        text = text.replace("\r\n", "\n").strip()
        if not text:
            raise ReviewError("Write the reply first.")
        if len(text) > LONGEST_REPLY:
            raise ReviewError(
                f"The reply is {len(text)} characters long; {LONGEST_REPLY} fit into one message."
            )
        if question.person.channel not in WRITABLE:
            raise ReviewError("This person wrote on a channel on which they can't be reached later.")
        outgoing = OutgoingReply(question.person, Reply(text, author="staff"), written_by=who.name)
        self.store.reply(group_id, version, who, outgoing)
        return question

    # ------------------------------------------------------------ call-backs

    def move_callback(self, callback_id: str, version: int, who: Who, action: str) -> None:
        """Takes a call-back, notes that nobody answered, finishes it, or gives it back."""
        now = self.store.callback(callback_id)
        if now.state is CallbackState.WITHDRAWN:
            raise ReviewError("This person has withdrawn the request: please don't call.")
        steps: Mapping[str, tuple[CallbackState, str, int]] = {
            "take": (CallbackState.TAKEN, who.name, now.attempts),
            "no_answer": (CallbackState.NO_ANSWER, who.name, now.attempts + 1),
            "done": (CallbackState.DONE, who.name, now.attempts + 1),
            "release": (CallbackState.OPEN, "", now.attempts),
        }
        if action not in steps:
            raise ReviewError("That can't be done with a call-back.")
        state, taken_by, attempts = steps[action]
        self.store.change_callback(callback_id, version, who, action, state, taken_by, attempts)

    def undo_callback(self, callback_id: str, version: int, who: Who) -> None:
        """Brings a call-back back to where it was before the latest step."""
        history = self.store.history(callback_id, limit=50)
        undone = {entry.undoes for entry in history}
        step = next((e for e in history if e.action != "undid" and e.id not in undone), None)
        if step is None:
            raise ReviewError("There is nothing to take back.")
        before = step.data["before"]
        self.store.change_callback(
            callback_id, version, who, "undid", CallbackState(before["state"]),
            before["taken_by"], before["attempts"], undoes=step.id,
        )  # fmt: skip


def _question(page: GroupPage, question_id: str) -> UnansweredQuestion:
    found = next((one for one in page.questions if one.id == question_id), None)
    if found is None:
        raise ReviewError("That question is not in this group any more.")
    return found
