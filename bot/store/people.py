"""Finding, showing and erasing what is held on a person; deleting what is older than it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import Person
from bot.store.groups import GroupStore
from bot.store.plain import to_plain
from bot.store.review_tables import callback_states, notices, question_places
from bot.store.tables import (
    booking_handoffs,
    callback_requests,
    conversation_turns,
    events,
    metadata,
    outgoing_replies,
    unanswered_questions,
)
from bot.store.turn_codec import unpack

_AT_ONCE = 2000

_KEPT_TIMES = {
    "callback_requests": callback_requests.c.requested_at,
    "outgoing_replies": outgoing_replies.c.created_at,
    "booking_handoffs": booking_handoffs.c.given_at,
    "events": events.c.happened_at,
    "unanswered_questions": unanswered_questions.c.asked_at,
    "notices": notices.c.created_at,
}


@dataclass(frozen=True)
class Found:
    """A person who matches a search, and what matched."""

    person: Person
    names: tuple[str, ...]
    phones: tuple[str, ...]
    references: tuple[str, ...]
    last_seen_at: datetime | None


class PeopleStore(GroupStore):
    """What is held on people."""

    def find_people(self, text: str, phone: str | None, limit: int = 20) -> list[Found]:
        """People by phone (E.164), name, reference, conversation id or key, the latest call-backs first."""
        request = callback_requests.c
        wanted = [
            sa.func.lower(request.name).contains(text.lower(), autoescape=True),
            request.reference == text.upper(),
            request.sender_id == text,
            request.person_key == text,
        ]
        if phone:
            wanted.append(request.phone == phone)

        def work(connection: Connection) -> list[Found]:
            query = sa.select(callback_requests).where(sa.or_(*wanted))
            rows = connection.execute(query.order_by(request.requested_at.desc()).limit(limit * 5)).mappings()
            people: dict[Person, list[Mapping[str, Any]]] = {}
            for row in rows:
                people.setdefault(_person(row), []).append(row)
            for person in _with_id(connection, text):
                people.setdefault(person, [])
            return [
                _found(connection, person, of_person) for person, of_person in list(people.items())[:limit]
            ]

        return self._read(work)

    def person_with_key(self, key: str) -> Person | None:
        """The person behind a key, as far as anything is held on them."""
        return next(iter(self._read(lambda connection: _with_id(connection, key))), None)

    def held(self, person: Person) -> dict[str, list[dict[str, Any]]]:
        """Everything that is held on a person, by table, as plain values; conversations are unpacked."""

        def work(connection: Connection) -> dict[str, list[dict[str, Any]]]:
            found = {}
            for table in self._personal_tables():
                rows = connection.execute(sa.select(table).where(_theirs(table, person))).mappings()
                plain = [_plain(row) for row in rows]
                if plain:
                    found[table.name] = plain
            return found

        return self._read(work)

    def _personal_tables(self) -> Iterable[sa.Table]:
        return (*super()._personal_tables(), question_places, callback_states)

    # ------------------------------------------------------------ retention

    def delete_older(self, table_name: str, before: datetime) -> int:
        """Deletes the rows of a kind that are older than this; says how many."""
        if table_name == "conversation_turns":
            old = conversation_turns.c.position < int(before.timestamp() * 1e9)
            keys: tuple[Any, ...] = (conversation_turns.c.sender_id, conversation_turns.c.position)
            return self._delete_some(conversation_turns, keys, old)
        table = metadata.tables[table_name]
        old = _KEPT_TIMES[table_name] < before
        if table is events:  # a call-back that was withdrawn stays so for as long as it is there
            old = sa.and_(old, ~sa.exists().where(callback_requests.c.id == events.c.id))
        return self._delete_some(table, (table.c.id,), old)

    def delete_orphans(self) -> list[str]:
        """Deletes places and states whose question or request is gone; the groups that this changed."""
        changed: set[str] = set()
        while some := self._write(_delete_some_places):
            changed |= some
        gone = ~sa.exists().where(callback_requests.c.id == callback_states.c.callback_id)
        self._write(lambda c: c.execute(sa.delete(callback_states).where(gone)))
        return sorted(changed)

    def _delete_some(self, table: sa.Table, keys: tuple[Any, ...], old: Any) -> int:
        some = sa.select(*keys).where(old).limit(_AT_ONCE)
        key = sa.tuple_(*keys) if len(keys) > 1 else keys[0]
        gone = sa.delete(table).where(key.in_(some))
        total = 0
        while count := self._write(lambda c: int(c.execute(gone).rowcount)):
            total += count
        return total


def _delete_some_places(connection: Connection) -> set[str]:
    """Deletes places without a question, not too many at once; the groups in which they were."""
    places = question_places.c
    gone = ~sa.exists().where(unanswered_questions.c.id == places.question_id)
    query = sa.select(places.question_id, places.group_id, places.anchor_id).where(gone).limit(_AT_ONCE)
    rows = connection.execute(query).all()
    ids = [row.question_id for row in rows]
    connection.execute(sa.delete(question_places).where(places.question_id.in_(ids)))
    return {group for row in rows for group in (row.group_id, row.anchor_id)}


def _theirs(table: sa.Table, person: Person) -> Any:
    if "person_key" in table.c:
        return table.c.person_key == person.key
    return table.c.sender_id == person.sender_id


def _with_id(connection: Connection, text: str) -> list[Person]:
    """The persons whose conversation id or key this is."""
    found: dict[Person, None] = {}
    for table in (callback_requests, unanswered_questions, events, booking_handoffs, outgoing_replies):
        query = sa.select(table.c.channel, table.c.sender_id, table.c.person_key)
        match = table.c.person_key == text if _is_key(text) else table.c.sender_id == text
        for row in connection.execute(query.where(match).limit(20)).mappings():
            found[_person(row)] = None
    return list(found)


def _is_key(text: str) -> bool:
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def _person(row: Mapping[str, Any]) -> Person:
    return Person(row["channel"], row["sender_id"], row["person_key"])


def _found(connection: Connection, person: Person, requests: list[Mapping[str, Any]]) -> Found:
    times = []
    for table, column in (
        (events, events.c.happened_at),
        (unanswered_questions, unanswered_questions.c.asked_at),
        (callback_requests, callback_requests.c.requested_at),
    ):
        query = sa.select(sa.func.max(column)).where(table.c.person_key == person.key)
        if (at := connection.execute(query).scalar()) is not None:
            times.append(at)
    return Found(
        person,
        names=tuple(dict.fromkeys(row["name"] for row in requests)),
        phones=tuple(dict.fromkeys(row["phone"] for row in requests)),
        references=tuple(dict.fromkeys(row["reference"] for row in requests)),
        last_seen_at=max(times, default=None),
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(row)
    if "position" in values and "data" in values:  # a turn of a conversation
        return {"at": values["position"] / 1e9, "events": to_plain(unpack(values["data"]))}
    values.pop("vector", None)
    return {key: to_plain(value) for key, value in values.items()}
