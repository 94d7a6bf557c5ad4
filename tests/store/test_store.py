"""What is recorded comes back as it was, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import dataclasses
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.model import (
    BookingHandoff,
    Button,
    CallbackRequest,
    Candidate,
    Event,
    HandoffKind,
    Link,
    OutgoingReply,
    Person,
    Reason,
    Reply,
    UnansweredQuestion,
    utc_now,
)
from bot.store.spool import Spool
from bot.store.store import Store, StoreUnavailable
from bot.store.turn import Turn


def question(person: Person, **changes: Any) -> UnansweredQuestion:
    values: dict[str, Any] = {
        "person": person,
        "text": "can you treat [name]?",
        "reason": Reason.FALLBACK,
        "intent": "faq/pain",
        "candidates": (Candidate("faq/pain", 0.4), Candidate("faq/size", 0.25)),
        "model_release": "2026-11-01",
        "language": "en",
        "context": (("user", "hi"), ("bot", "Hello!")),
    }
    return UnansweredQuestion(**{**values, **changes})


def callback(person: Person, **changes: Any) -> CallbackRequest:
    values: dict[str, Any] = {
        "person": person,
        "name": "Jane Doe",
        "phone": "+61491570006",
        "when": "tomorrow after 3",
        "reference": "CB-7F3K",
        "consent_at": utc_now(),
    }
    return CallbackRequest(**{**values, **changes})


def reply_to(person: Person, text: str = "We can.", **changes: Any) -> OutgoingReply:
    reply = Reply(
        text, (Button("Book", "/book"),), (Link("Call", "tel:1300455792"),), code="miliagone", author="staff"
    )
    return OutgoingReply(person, reply, written_by="kim", **changes)


def test_every_record_comes_back_as_it_was(store: Store, person: Person) -> None:
    asked, wanted = question(person), callback(person)
    given = BookingHandoff(person, HandoffKind.BOOKING_LINK, "https://example.com/?a=ü")
    happened = Event(person, "answered", {"topic": "faq/pain", "confidence": 0.9, "none": None})
    outgoing = reply_to(person)
    store.record_question(asked)
    store.record_callback(wanted)
    store.record_handoff(given)
    store.record_event(happened)
    assert store.enqueue_reply(outgoing) == outgoing.id
    assert store.questions() == [asked]
    assert store.callbacks() == [wanted]
    assert store.handoffs() == [given]
    assert store.events() == [happened]
    assert store.pending_replies("web") == [outgoing]


def test_a_repeated_write_stores_once(store: Store, person: Person) -> None:
    asked = question(person)
    for _ in range(2):
        store.record_question(asked)
    store.record_question(dataclasses.replace(asked, text="another text under the same id"))
    assert store.questions() == [asked]


def test_times_are_kept_in_utc_and_come_back_aware(store: Store, person: Person) -> None:
    brisbane = timezone(timedelta(hours=10))
    store.record_question(question(person, asked_at=datetime(2026, 11, 2, 9, 30, 0, 123456, brisbane)))
    at = store.questions()[0].asked_at
    assert at == datetime(2026, 11, 1, 23, 30, 0, 123456, timezone.utc)
    assert at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    ["nul \0 in it", "half a pair \ud83d", "\udc00\ud800", "whole \U0001f600 \u202e עברית", "x" * 100_000],
)
def test_no_text_fails_a_write(store: Store, text: str) -> None:
    person = Person(channel=text, sender_id=text, key="b" * 32)
    store.record_all(
        [
            question(person, text=text, context=((text, text),)),
            callback(person, name=text),
            Event(person, "message", {text: [text, float("nan")]}),
            reply_to(person, text),
        ]
    )
    assert len(store.questions()) == 1
    assert store.callbacks()[0].name == text.replace("\0", "").encode("utf-16", "surrogatepass").decode(
        "utf-16", "replace"
    )
    assert len(store.pending_replies(text, text)) == 1


def test_the_newest_come_first_and_can_be_filtered(store: Store, person: Person) -> None:
    other = Person("web", "visitor-2", "c" * 32)
    start = utc_now()
    asked = [
        question(who, text=str(n), asked_at=start + timedelta(seconds=n), reason=reason)
        for n, (who, reason) in enumerate(
            [(person, Reason.FALLBACK), (other, Reason.RED_FLAG), (person, Reason.RED_FLAG)]
        )
    ]
    store.record_all(asked)
    assert [q.text for q in store.questions()] == ["2", "1", "0"]
    assert [q.text for q in store.questions(limit=1)] == ["2"]
    assert [q.text for q in store.questions(reason=Reason.RED_FLAG)] == ["2", "1"]
    assert [q.text for q in store.questions(person_key=person.key)] == ["2", "0"]


def test_the_outbox_is_served_in_order_and_once(store: Store, person: Person) -> None:
    start = utc_now()
    for n in range(3):
        store.enqueue_reply(reply_to(person, str(n), created_at=start + timedelta(seconds=n)))
    store.enqueue_reply(reply_to(Person("messenger", "psid", "d" * 32), "elsewhere"))
    waiting = store.pending_replies("web", person.sender_id)
    assert [r.reply.text for r in waiting] == ["0", "1", "2"]
    store.mark_reply_sent(waiting[0].id)
    store.mark_reply_failed(waiting[1].id)
    store.mark_reply_failed(waiting[2].id, final=True)
    assert [r.reply.text for r in store.pending_replies("web")] == ["1"]
    store.enqueue_reply(waiting[0])  # a repeated write doesn't queue it again
    assert [r.reply.text for r in store.pending_replies("web")] == ["1"]
    assert store.pending_replies("web", "somebody else") == []


def test_erasing_a_person_leaves_nothing_of_them(store: Store, spool: Spool, person: Person) -> None:
    other = Person("web", "visitor-2", "c" * 32)
    for who in (person, other):
        store.record_all(
            [
                question(who),
                callback(who),
                BookingHandoff(who, HandoffKind.PHONE, "1300 455 792"),
                Event(who, "message"),
                reply_to(who),
                Turn(who.sender_id, time.time_ns(), b"said"),
            ]
        )
    spool.append([{"kind": "Event", "person_key": person.key, "sender_id": person.sender_id, "data": {}}])
    spool.append([{"kind": "Turn", "person_key": "", "sender_id": person.sender_id, "data": {}}])
    spool.append([{"kind": "Event", "person_key": other.key, "sender_id": other.sender_id, "data": {}}])
    receipt = store.erase_person(person, spool)
    assert receipt.person_key == person.key
    assert {table: n for table, n in receipt.rows.items() if not table.startswith("messenger_")} == {
        "unanswered_questions": 1,
        "callback_requests": 1,
        "booking_handoffs": 1,
        "events": 1,
        "outgoing_replies": 1,
        "conversation_turns": 1,
        "spool": 2,
    }
    assert [q.person for q in store.questions()] == [other]
    assert store.conversations() == [other.sender_id]
    assert person.sender_id not in b"".join(p.read_bytes() for p in spool.directory.glob("*.jsonl")).decode()


def test_what_was_spooled_elsewhere_before_an_erasure_does_not_come_back(
    store: Store, person: Person
) -> None:
    early = [question(person, text="before"), Turn(person.sender_id, time.time_ns(), b"before")]
    store.erase_person(person)
    late = [question(person, text="after"), Turn(person.sender_id, time.time_ns(), b"after")]
    store.record_all([*early, *late], late=True)
    assert [q.text for q in store.questions()] == ["after"]
    assert [t.data for t in store.turns(person.sender_id)] == [b"after"]


def test_all_or_nothing(store: Store, person: Person) -> None:
    broken = question(person, asked_at=datetime(2026, 1, 1))  # naive on purpose
    with pytest.raises((sa.exc.StatementError, ValueError)):
        store.record_all([Event(person, "message"), broken])
    assert store.events() == []


def test_threads_share_a_store(store: Store, person: Person) -> None:
    def work() -> None:
        for _ in range(20):
            store.record_event(Event(person, "message"))
            store.questions()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.events(limit=1000)) == 160


def test_a_locked_database_fails_soon(store: Store, person: Person) -> None:
    blocker = sa.create_engine(store.url, future=True)
    with blocker.connect() as connection:
        if blocker.dialect.name == "sqlite":
            connection.connection.isolation_level = None
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.record_event(Event(person, "message"))
        assert time.monotonic() - started < 3
        connection.rollback()
    blocker.dispose()
    store.record_event(Event(person, "message"))
    assert len(store.events()) == 1


def test_the_reason_of_a_failure_holds_nothing_personal(store: Store, person: Person) -> None:
    store._write(lambda c: c.exec_driver_sql("DROP TABLE callback_requests"))
    with pytest.raises(StoreUnavailable) as caught:
        store.record_callback(callback(person))
    assert "Jane" not in str(caught.value)
    assert "0491" not in str(caught.value)


def test_a_folder_that_can_not_be_made(tmp_path: Path, person: Person) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        Store(f"sqlite:///{tmp_path}/file/milia.db").record_event(Event(person, "message"))


def test_a_full_disk(tmp_path: Path, person: Person) -> None:
    store = Store(f"sqlite:///{tmp_path}/milia.db")
    store.migrate()

    def limit(connection: Any) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    store._read(limit)  # SQLite's own error for a full disk, on this connection
    with pytest.raises(StoreUnavailable, match="full"):
        for _ in range(2000):
            store.record_event(Event(person, "message", {"x": "y" * 1000}))
    store.close()


def test_a_damaged_file(tmp_path: Path, person: Person) -> None:
    (tmp_path / "milia.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable):
        Store(f"sqlite:///{tmp_path}/milia.db").record_event(Event(person, "message"))


def test_a_database_file_that_was_replaced(tmp_path: Path, person: Person) -> None:
    store = Store(f"sqlite:///{tmp_path}/milia.db")
    store.migrate()
    store.record_event(Event(person, "message"))
    for path in tmp_path.glob("milia.db*"):
        path.rename(path.with_name(f"away-{path.name}"))
    with pytest.raises(StoreUnavailable):
        store.record_event(Event(person, "message"))
    store.migrate()
    store.record_event(Event(person, "message"))
    assert len(store.events()) == 1
    store.close()


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/milia.db").close()
    assert list(tmp_path.iterdir()) == []


def test_only_known_databases() -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        Store("mysql://localhost/x").ping()
