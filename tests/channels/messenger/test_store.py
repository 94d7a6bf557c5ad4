"""Inbox and outbox on real databases: once, in order, by one server at a time, through crashes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.model import OutgoingReply, Person, Reply, utc_now
from bot.store.messenger_deletions import Deletions
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_lanes import LEASE, LaneLost
from bot.store.messenger_model import (
    Deletion,
    DeletionState,
    Echo,
    EventKind,
    InboxEvent,
    OutboxMessage,
    OutboxState,
    Waiting,
)
from bot.store.messenger_outbox import Outbox
from bot.store.store import Store
from tests.store.conftest import new_postgres_database

NOW = utc_now()
ZERO = timedelta(0)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def inbox(store: Store) -> Inbox:
    return Inbox(store, lambda conversation: conversation[-1] * 32, settle=ZERO, settle_late=ZERO)


@pytest.fixture
def outbox(store: Store) -> Outbox:
    return Outbox(store, echo_wait=timedelta(seconds=30))


def event(psid: str, key: str, at: datetime = NOW, text: str = "hi") -> InboxEvent:
    return InboxEvent("100", psid, key, EventKind.TEXT, at, text)


def message(psid: str, text: str, **more: Any) -> OutboxMessage:
    return OutboxMessage("100", psid, {"text": text}, **more)


def end_leases(store: Store) -> None:
    """What a crash looks like to others, some seconds later."""
    ends = "SET inbox_until = '2020-01-01 00:00:00.000000', outbox_until = '2020-01-01 00:00:00.000000'"
    store._write(lambda c: c.exec_driver_sql(f"UPDATE messenger_threads {ends}"))


def work_off(inbox: Inbox, owner: str, seen: list[str]) -> None:
    """Answers every event with one message."""
    while claimed := inbox.claim(owner, 3):
        for first in claimed:
            waiting: Waiting | None = first
            while waiting is not None:
                seen.append(waiting.event.key)
                answer = message(waiting.event.psid, f"to {waiting.event.key}")
                waiting = inbox.finish(waiting, owner, [answer])


def test_an_event_is_stored_once_and_answered_in_order(inbox: Inbox, outbox: Outbox) -> None:
    later, earlier = event("1", "b", NOW), event("1", "a", NOW - timedelta(seconds=1))
    inbox.receive([later, later, event("1", "c", NOW)])
    inbox.receive([earlier, later])
    seen: list[str] = []
    work_off(inbox, "me", seen)
    assert seen == ["a", "b", "c"] and inbox.waiting() == 0
    inbox.receive([later])  # an hour later, say
    assert inbox.claim("me", 9) == []
    assert outbox.counts() == {OutboxState.QUEUED: 3}


def test_an_event_waits_for_those_that_happened_before_it(store: Store) -> None:
    inbox = Inbox(store, lambda _: "k" * 32, settle=timedelta(seconds=1), settle_late=timedelta(seconds=9))
    now = utc_now()
    inbox.receive([event("1", "prompt", now), event("2", "late", now - timedelta(minutes=1))], now=now)
    assert inbox.claim("me", 9) == []
    assert [w.event.key for w in inbox.claim("me", 9, now + timedelta(seconds=2))] == ["prompt"]
    assert [w.event.key for w in inbox.claim("me", 9, now + timedelta(seconds=10))] == ["late"]


def test_many_servers_share_the_work_and_nothing_is_done_twice(store: Store, inbox: Inbox) -> None:
    events = [
        event(str(psid), f"{psid}-{n}", NOW + timedelta(milliseconds=n))
        for n in range(6)
        for psid in range(12)
    ]
    done: list[str] = []
    start = threading.Barrier(4)

    def server(owner: str) -> None:
        start.wait()
        for _ in range(40):
            work_off(inbox, owner, done)

    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(server, f"server-{n}") for n in range(4)]
        for some in range(0, len(events), 7):
            inbox.receive(events[some : some + 7])
        for one in running:
            one.result()
    work_off(inbox, "last", done)
    assert sorted(done) == sorted(e.key for e in events)
    for psid in range(12):
        assert [key for key in done if key.startswith(f"{psid}-")] == [f"{psid}-{n}" for n in range(6)]


def test_what_a_dead_server_held_is_taken_over_and_can_not_be_finished_by_it(
    store: Store, inbox: Inbox, outbox: Outbox
) -> None:
    inbox.receive([event("1", "a")])
    [held] = inbox.claim("dead", 9)
    assert held.attempts == 1 and inbox.claim("alive", 9) == []
    inbox.renew("dead", [held.conversation])
    assert inbox.claim("alive", 9, utc_now() + LEASE / 2) == []
    end_leases(store)
    [taken] = inbox.claim("alive", 9)
    assert taken.attempts == 2 and taken.event == held.event
    with pytest.raises(LaneLost):
        inbox.finish(held, "dead", [message("1", "a second answer")])
    assert outbox.counts() == {}
    assert inbox.finish(taken, "alive", [message("1", "the answer")]) is None
    assert outbox.counts() == {OutboxState.QUEUED: 1}


def test_a_lane_that_its_server_does_not_know_of_is_free_in_the_end(inbox: Inbox, outbox: Outbox) -> None:
    """It was claimed, and the database was gone before it could say so."""
    inbox.receive([event("1", "a"), event("2", "b")])
    known, _ = sorted(inbox.claim("me", 9), key=lambda waiting: waiting.event.key)
    inbox.renew("me", [known.conversation])
    later = utc_now() + LEASE - timedelta(seconds=1)
    assert inbox.claim("other", 9, later) == []
    inbox.finish(known, "me", [message("1", "first")])
    assert outbox.claim("me", 9)
    inbox.renew("me", [], [])
    over = utc_now() + LEASE
    assert [waiting.event.key for waiting in inbox.claim("other", 9, over)] == ["b"]
    assert outbox.claim("other", 9, over) == []
    assert outbox.counts() == {OutboxState.UNSURE: 1}  # its echo is waited for


def test_a_message_that_another_server_has_taken_over_is_not_sent(
    store: Store, inbox: Inbox, outbox: Outbox
) -> None:
    inbox.receive([event("1", "a")])
    inbox.finish(inbox.claim("slow", 9)[0], "slow", [message("1", "first")])
    [held] = outbox.claim("slow", 9)
    outbox.check(held, "slow")
    end_leases(store)
    assert outbox.claim("other", 9) == []
    with pytest.raises(LaneLost):
        outbox.check(held, "slow")
    end_leases(store)
    [again] = outbox.claim("slow", 9)
    outbox.check(again, "slow")
    with pytest.raises(LaneLost):  # the same server, but at an earlier time
        outbox.check(held, "slow")


def test_a_server_that_stops_gives_its_lanes_up(inbox: Inbox) -> None:
    inbox.receive([event("1", "a")])
    assert inbox.claim("stopping", 9)
    inbox.leave("stopping")
    assert [w.event.key for w in inbox.claim("next", 9)] == ["a"]


def test_messages_go_out_in_order_and_wait_for_each_other(inbox: Inbox, outbox: Outbox) -> None:
    inbox.receive([event("1", "a")])
    [waiting] = inbox.claim("me", 9)
    inbox.finish(waiting, "me", [message("1", "first"), message("1", "second")])
    [first] = outbox.claim("me", 9)
    assert first.message == {"text": "first"} and first.state is OutboxState.SENDING
    assert outbox.retry(first, "me", timedelta(seconds=60), "Graph error 4") is None
    assert outbox.claim("me", 9) == []
    [again] = outbox.claim("me", 9, utc_now() + timedelta(seconds=61))
    assert again.id == first.id and again.attempts == 2
    second = outbox.sent(again, "me")
    assert second and second.message == {"text": "second"}
    assert outbox.failed(second, "me", "Graph error 100") is None
    assert outbox.counts() == {OutboxState.SENT: 1, OutboxState.FAILED: 1}


@pytest.mark.parametrize("crashed", [True, False])
def test_an_unsure_message_is_settled_by_its_echo(
    store: Store, inbox: Inbox, outbox: Outbox, crashed: bool
) -> None:
    inbox.receive([event("1", "a")])
    inbox.finish(inbox.claim("me", 9)[0], "me", [message("1", "first"), message("1", "second")])
    [first] = outbox.claim("me", 9)
    if crashed:
        end_leases(store)
    else:
        assert outbox.unsure(first, "me", "No answer") is None
    assert outbox.claim("other", 9) == []  # nobody sends it again yet, nor what comes after it
    assert outbox.counts() == {OutboxState.UNSURE: 1, OutboxState.QUEUED: 1}
    inbox.receive([], [Echo("100", "1", utc_now(), first.id)])
    [second] = outbox.claim("other", 9)
    assert second.message == {"text": "second"}


def test_without_an_echo_it_is_sent_again_in_the_end(inbox: Inbox, outbox: Outbox) -> None:
    inbox.receive([event("1", "a")])
    inbox.finish(inbox.claim("me", 9)[0], "me", [message("1", "first")])
    [first] = outbox.claim("me", 9)
    outbox.unsure(first, "me", "No answer")
    assert outbox.claim("me", 9, utc_now() + timedelta(seconds=29)) == []
    [again] = outbox.claim("me", 9, utc_now() + timedelta(seconds=31))
    assert again.id == first.id


def test_an_echo_that_overtakes_the_answer_is_enough(inbox: Inbox, outbox: Outbox) -> None:
    inbox.receive([event("1", "a")])
    inbox.finish(inbox.claim("me", 9)[0], "me", [message("1", "first"), message("1", "second")])
    [first] = outbox.claim("me", 9)
    inbox.receive([], [Echo("100", "1", utc_now(), first.id)])
    second = outbox.unsure(first, "me", "No answer")
    assert second and second.message == {"text": "second"}


def test_a_persons_reply_pauses_and_a_repeated_echo_doesnt_pause_longer(inbox: Inbox) -> None:
    echo = Echo("100", "1", NOW - timedelta(hours=1))
    inbox.receive([], [echo])
    inbox.receive([], [echo])
    thread = inbox.thread("facebook-100-1")
    assert thread and thread.human and thread.last_at is None
    assert thread.paused_until == echo.at + inbox.pause
    inbox.receive([event("1", "a", NOW)])
    [waiting] = inbox.claim("me", 9)
    assert waiting.thread.paused(NOW) and waiting.thread.last_at == NOW
    inbox.finish(waiting, "me", introduced=False)
    thread = inbox.thread("facebook-100-1")
    assert thread and thread.human and not thread.welcomed


def test_texts_are_forgotten_when_they_are_done_with(store: Store, inbox: Inbox, outbox: Outbox) -> None:
    inbox.receive([event("1", "a", text="private words")])
    inbox.finish(inbox.claim("me", 9)[0], "me", [message("1", "private answer")])
    [first] = outbox.claim("me", 9)
    outbox.sent(first, "me")
    for table in ("messenger_inbox", "messenger_outbox", "messenger_threads"):
        query = f"SELECT * FROM {table}"
        rows = store._read(lambda c, query=query: c.exec_driver_sql(query).all())
        assert rows and "private" not in str(rows)
    assert inbox.purge(utc_now() - timedelta(days=1)) == 0
    assert inbox.purge(utc_now() + timedelta(seconds=1)) == 2


def test_staff_replies_are_taken_over_once_and_come_back_when_they_fail(
    store: Store, inbox: Inbox, outbox: Outbox
) -> None:
    inbox.receive([event("1", "a")])
    inbox.finish(inbox.claim("me", 9)[0], "me")
    reply = OutgoingReply(
        Person("facebook", "facebook-100-1", "1" * 32), Reply("Hello", author="staff"), "sarah"
    )
    store.enqueue_reply(reply)
    parts = [message("1", text, reply_id=reply.id, id=text * 32) for text in "ab"]
    for _ in range(2):
        outbox.hand_over(reply, parts)
    assert store.pending_replies("facebook") == []
    assert [m.message for m in outbox.delivery(reply.id)] == [{"text": "a"}, {"text": "b"}]
    thread = inbox.thread("facebook-100-1")
    assert thread and thread.human
    [first] = outbox.claim("me", 9)
    second = outbox.failed(first, "me", "Graph error 551")
    assert second
    outbox.sent(second, "me")
    delivered = [(m.state, m.problem) for m in outbox.delivery(reply.id)]
    assert delivered == [(OutboxState.FAILED, "Graph error 551"), (OutboxState.SENT, "")]


def test_a_person_is_erased(store: Store, inbox: Inbox, outbox: Outbox) -> None:
    inbox.receive([event("1", "a"), event("2", "b")], [Echo("100", "1", NOW)])
    for waiting in inbox.claim("me", 9):
        inbox.finish(waiting, "me", [message(waiting.event.psid, "x")])
    receipt = store.erase_person(Person("facebook", "facebook-100-1", "1" * 32))
    tables = ("messenger_inbox", "messenger_outbox", "messenger_threads")
    assert [receipt.rows[table] for table in tables] == [1, 1, 1]
    assert inbox.thread("facebook-100-1") is None and inbox.thread("facebook-100-2")
    assert outbox.counts() == {OutboxState.QUEUED: 1}


def test_deletion_requests_forget_whose_they_were(store: Store) -> None:
    deletions = Deletions(store)
    deletions.add(Deletion("CODE", "12345"))
    assert [d.user_id for d in deletions.waiting()] == ["12345"]
    deletions.finish("CODE", DeletionState.DONE)
    done = deletions.get("CODE")
    assert done and (done.state, done.user_id) == (DeletionState.DONE, "") and deletions.waiting() == []
    assert deletions.get("OTHER") is None


def test_an_echo_and_a_server_that_takes_the_lane_do_not_wait_for_each_other(postgres: Any) -> None:
    """SQLite has one writer."""
    store = Store(new_postgres_database(postgres))
    store.migrate()
    inbox, outbox = Inbox(store, lambda _: "k" * 32, settle=ZERO, settle_late=ZERO), Outbox(store)
    inbox.receive([event("1", "a")])
    inbox.finish(inbox.claim("me", 9)[0], "me", [message("1", "first")])
    [first] = outbox.claim("me", 9)
    outbox.unsure(first, "me", "No answer")
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with ThreadPoolExecutor(1) as pool, store._engine.begin() as claiming:
        claiming.exec_driver_sql("SELECT FROM messenger_threads FOR UPDATE")
        echo = pool.submit(inbox.receive, [], [Echo("100", "1", utc_now(), first.id)])
        while not store._read(lambda c: c.exec_driver_sql(waiting).scalar()):
            assert not echo.done()
        claiming.exec_driver_sql("UPDATE messenger_outbox SET attempts = attempts + 1")
        claiming.commit()
        echo.result()
    assert outbox.counts() == {OutboxState.SENT: 1}
    store.close()
