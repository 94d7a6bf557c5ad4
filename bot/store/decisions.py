"""What staff decide about a group: one transaction, its line in the history, refused when outdated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import OutgoingReply, new_id, utc_now
from bot.review_model import Comment, Conflict, GroupState, HistoryEntry, NotThere, ReviewError, Who
from bot.store.edition import next_edition
from bot.store.groups import GroupStore
from bot.store.history import append, entries, last_of
from bot.store.placing import Sum, group_row, groups, places, recount
from bot.store.plain import clean
from bot.store.review_tables import group_comments, question_groups, question_places, review_history
from bot.store.tables import outgoing_replies, to_row

# What a decision may change, and an undo brings back.
_FIELDS = ("state", "topic", "assignee", "needs_answer", "people_at_decision")


class DecisionStore(GroupStore):
    """Changing groups. `version` is the one that the person saw; another one means that somebody was faster.

    Every method raises NotThere for an unknown group and Conflict for an outdated version.
    """

    def decide(
        self,
        group_id: str,
        version: int,
        who: Who,
        action: str,
        data: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Changes a group's fields (`state`, `topic`, `assignee`, `needs_answer`)."""
        self._write(lambda c: change_group(c, group_id, version, who, action, data, **changes))

    def undo(self, group_id: str, version: int, who: Who, entry_id: str, total: Sum) -> None:
        """Takes back the latest thing done to a group that isn't taken back yet."""

        def work(connection: Connection) -> None:
            entry = next((e for e in undoable(_history(connection, group_id))), None)
            if entry is None or entry.id != entry_id:
                raise Conflict(last_of(connection, group_id))
            before = {
                key: entry.data["before"][key] for key in _FIELDS if key in entry.data.get("before", {})
            }
            if entry.action == "merged":
                _part(connection, entry.data, total)
            elif entry.action == "split":
                _merge(connection, group_id, entry.data["into"], total)
            elif entry.action == "replied":
                _withdraw(connection, entry.data["reply"])
            elif entry.action == "commented":
                gone = sa.delete(group_comments).where(group_comments.c.id == entry.data["comment"])
                connection.execute(gone)
            data = {"action": entry.action}
            _change(connection, group_id, version, who, "undid", before, data, undoes=entry.id)

        self._write(work)

    def merge(self, group_id: str, version: int, who: Who, source_id: str, total: Sum) -> None:
        """Shows the questions of `source_id` in this group; new ones like them come here as well."""

        def work(connection: Connection) -> None:
            source = group_row(connection, source_id)
            if source_id == group_id or source["duplicate_of"] or not source["questions"]:
                raise ReviewError("That question is not there any more: it was merged or erased.")
            anchors = _merge(connection, group_id, source_id, total)
            _change(
                connection, group_id, version, who, "merged", {}, {"source": source_id, "anchors": anchors}
            )
            append(connection, _entry(who, "merged_away", source_id, {"into": group_id}))

        self._write(work)

    def split(self, group_id: str, version: int, who: Who, question_ids: Sequence[str], total: Sum) -> str:
        """Moves some questions into a group of their own; its id."""
        new = new_id()

        def work(connection: Connection) -> None:
            here = (places.group_id == group_id) & places.question_id.in_(question_ids)
            moved = connection.execute(sa.select(places.question_id).where(here)).scalars().all()
            old = group_row(connection, group_id)
            if not moved or len(moved) == old["questions"]:
                raise ReviewError("Choose some of the questions, not none and not all.")
            anchors = set(connection.execute(sa.select(places.anchor_id).where(here)).scalars())
            values = {"id": new, "state": GroupState.NEW.value, "total": b"", "changed_at": utc_now()}
            times = {name: old[name] for name in ("first_asked_at", "last_asked_at")}
            connection.execute(sa.insert(question_groups).values(**values, **times))
            connection.execute(sa.update(question_places).where(here).values(group_id=new, anchor_id=new))
            recount(connection, [new, group_id, *anchors], total)
            _change(connection, group_id, version, who, "split", {}, {"into": new, "questions": len(moved)})
            append(connection, _entry(who, "split_off", new, {"from": group_id}))

        self._write(work)
        return new

    def comment(self, comment: Comment, who: Who) -> None:
        """Adds a comment. Needs no version: it overwrites nothing."""

        def work(connection: Connection) -> None:
            row = group_row(connection, comment.group_id)
            values = {"text": clean(comment.text), "author": comment.author, "id": comment.id}
            connection.execute(
                sa.insert(group_comments).values(group_id=comment.group_id, at=comment.at, **values)
            )
            _change(
                connection, comment.group_id, row["version"], who, "commented", {}, {"comment": comment.id}
            )

        self._write(work)

    def reply(self, group_id: str, version: int, who: Who, outgoing: OutgoingReply) -> None:
        """Queues a message to one of the people who asked."""

        def work(connection: Connection) -> None:
            _change(connection, group_id, version, who, "replied", {}, {"reply": outgoing.id})
            connection.execute(sa.insert(outgoing_replies), to_row(outgoing))

        self._write(work)

    def reply_states(self, ids: Sequence[str]) -> dict[str, str]:
        """Whether these replies are queued, sent or failed; missing ones were withdrawn or erased."""
        table = outgoing_replies
        query = sa.select(table.c.id, table.c.state).where(table.c.id.in_(list(ids)))
        return self._read(lambda c: dict(c.execute(query).all()))


def undoable(history: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """The entries that can be taken back in this order: newest first, none twice, the system's are not."""
    undone = {entry.undoes for entry in history if entry.undoes}
    kept = {"undid", "merged_away", "split_off", "returned"}
    return [entry for entry in history if entry.action not in kept and entry.id not in undone]


def _history(connection: Connection, group_id: str) -> list[HistoryEntry]:
    query = sa.select(review_history).where(review_history.c.subject_id == group_id)
    return entries(connection.execute(query.order_by(review_history.c.at.desc())).mappings())


def _entry(who: Who, action: str, subject_id: str, data: Mapping[str, Any]) -> HistoryEntry:
    return HistoryEntry(who.name, action, "group", subject_id, who_id=who.id, data=data)


def change_group(
    connection: Connection,
    group_id: str,
    version: int,
    who: Who,
    action: str,
    data: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Changes a group's fields in the transaction of something larger; see `DecisionStore.decide`."""
    _change(connection, group_id, version, who, action, changes, data or {})


def _change(
    connection: Connection,
    group_id: str,
    version: int,
    who: Who,
    action: str,
    changes: Mapping[str, Any],
    data: Mapping[str, Any],
    undoes: str | None = None,
) -> None:
    """Changes a group if it still has this version, and tells the history what it was before."""
    row = group_row(connection, group_id)
    if row["version"] != version or row["duplicate_of"]:
        raise Conflict(last_of(connection, group_id))
    if "state" in changes and "people_at_decision" not in changes:
        changes = {**changes, "people_at_decision": row["people"]}
    before = {key: row[key] for key in _FIELDS if key in changes}
    after = {key: value for key, value in changes.items() if key != "people_at_decision"}
    if "state" in changes or action == "merged":  # the wordings that are in it now were seen and settled
        changes = {**changes, "decided_by": who.name, "decided_at": utc_now()}
    done = connection.execute(
        sa.update(question_groups)
        .where(groups.id == group_id, groups.version == version)
        .values(**changes, version=version + 1)
    )
    if done.rowcount != 1:  # PostgreSQL lets two readers of the same version come this far
        raise Conflict(last_of(connection, group_id))
    next_edition(connection)
    line = {**data, "before": before, "after": after}
    append(
        connection,
        HistoryEntry(who.name, action, "group", group_id, who_id=who.id, data=line, undoes=undoes),
    )


def _merge(connection: Connection, group_id: str, source_id: str, total: Sum) -> list[str]:
    """Moves a group's questions, and what was merged into it, under another; the anchors that moved."""
    theirs = (groups.id == source_id) | (groups.duplicate_of == source_id)
    anchors = list(connection.execute(sa.select(groups.id).where(theirs)).scalars())
    connection.execute(
        sa.update(question_groups)
        .where(theirs)
        .values(duplicate_of=group_id, changed_at=utc_now(), version=groups.version + 1)
    )
    connection.execute(
        sa.update(question_places).where(places.group_id == source_id).values(group_id=group_id)
    )
    recount(connection, [group_id, source_id], total)
    return anchors


def _part(connection: Connection, data: Mapping[str, Any], total: Sum) -> None:
    """Takes a merge back: the questions that its anchors drew are their own group again."""
    source, anchors = data["source"], data["anchors"]
    ours = groups.id.in_(anchors)
    target = connection.execute(sa.select(groups.duplicate_of).where(groups.id == source)).scalar()
    if target is None:
        raise NotThere("That merge can't be taken back any more.")
    connection.execute(
        sa.update(question_groups).where(ours).values(duplicate_of=source, changed_at=utc_now())
    )
    connection.execute(sa.update(question_groups).where(groups.id == source).values(duplicate_of=None))
    connection.execute(
        sa.update(question_places)
        .where(places.anchor_id.in_(anchors), places.group_id == target)
        .values(group_id=source)
    )
    recount(connection, [source, target], total)


def _withdraw(connection: Connection, reply_id: str) -> None:
    table = outgoing_replies
    gone = sa.delete(table).where(table.c.id == reply_id, table.c.state == "queued", table.c.attempts == 0)
    if connection.execute(gone).rowcount != 1:
        raise ReviewError("The reply has been delivered already; it can't be taken back.")
