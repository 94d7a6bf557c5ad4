"""The review's tables on SQLite and PostgreSQL: placing, deciding, undoing, erasing, by several at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from bot.grouping import Anchors, total_of
from bot.model import (
    CALLBACK_WITHDRAWN,
    CallbackRequest,
    Event,
    Person,
    Reason,
    UnansweredQuestion,
    new_id,
    utc_now,
)
from bot.privacy import erase_person
from bot.review_model import (
    TO_CALL,
    Account,
    CallbackState,
    Conflict,
    GroupFilter,
    GroupState,
    HistoryEntry,
    NotThere,
    ReviewError,
    Role,
    Who,
)
from bot.store.staff_store import StaffStore
from bot.store.store import Store

KIM, DANA = Who("Kim", "k" * 32), Who("Dana", "d" * 32)


@pytest.fixture
def desk(url: str) -> Iterator[StaffStore]:
    store = StaffStore(url)
    store.migrate()
    yield store
    store.close()


def somebody(number: int) -> Person:
    return Person("website", f"v{number}", f"{number:032x}")


def asked(store: Store, number: int, text: str = "is there parking", **more: Any) -> UnansweredQuestion:
    question = UnansweredQuestion(somebody(number), text, more.pop("reason", Reason.FALLBACK), **more)
    store.record_question(question)
    return question


def along(axis: int) -> bytes:
    vector = np.zeros(384, np.float16)
    vector[axis] = 1
    return vector.tobytes()


def placed(store: StaffStore, axis: int, *numbers: int) -> str:
    """Questions of these people along one direction; the group that they came into."""
    questions = [asked(store, number) for number in numbers]
    store.place([(question.id, along(axis)) for question in questions], Anchors(), None, 10)
    return store.groups_of(questions[0].person.key)[0]


def test_a_group_counts_people_and_comes_back_as_it_was(desk: StaffStore) -> None:
    group = placed(desk, 0, 1, 2, 2)
    other = placed(desk, 1, 3)
    assert placed(desk, 0, 4) == group
    page = desk.group_page(group)
    assert (page.group.people, page.group.questions, page.group.reasons) == (3, 4, {"fallback": 4})
    assert {one.id for one in desk.list_groups(GroupFilter())} == {group, other}
    assert desk.ungrouped() == []


def test_many_questions_placed_at_once_count_as_one_after_the_other(desk: StaffStore) -> None:
    settled, flagged = placed(desk, 0, 1), placed(desk, 1, 2)
    desk.decide(settled, 0, KIM, "dismissed", {"reason": "spam"}, state="dismissed")
    later = utc_now() + timedelta(minutes=1)
    again = [asked(desk, number, asked_at=later) for number in (3, 3, 4, 5)]
    red = [asked(desk, 2, reason=Reason.RED_FLAG), asked(desk, 6)]
    new = [asked(desk, 7, asked_at=later), asked(desk, 8, asked_at=later - timedelta(hours=1))]
    erased = UnansweredQuestion(somebody(9), "is there parking", Reason.FALLBACK)
    vectors = [(question.id, along(2)) for question in (*new, new[0], erased)]
    vectors += [(question.id, along(1)) for question in red]
    vectors += [(question.id, along(0)) for question in again]
    desk.place(vectors, Anchors(), None, 3)
    desk.place(vectors, Anchors(), None, 3)
    [begun] = desk.groups_of(somebody(7).key)
    found = {group: desk.group_page(group).group for group in (settled, flagged, begun)}
    counted = {id_: (group.people, group.questions, group.urgent) for id_, group in found.items()}
    assert counted == {settled: (4, 5, False), flagged: (2, 3, True), begun: (2, 2, False)}
    assert (found[begun].first_asked_at, found[begun].last_asked_at) == (later - timedelta(hours=1), later)
    assert (found[settled].state, found[settled].version) == (GroupState.NEW, 2)
    assert [entry.action for entry in desk.history(settled)] == ["returned", "dismissed"]


def test_a_group_that_is_gone_draws_nothing(desk: StaffStore) -> None:
    question, anchors = asked(desk, 1), Anchors()
    anchors.add("f" * 32, along(0))
    with pytest.raises(NotThere):
        desk.place([(question.id, along(0))], anchors, None, 10)
    assert [waiting for waiting, _ in desk.ungrouped()] == [question.id]


def test_red_flags_stand_first_and_no_page_shows_a_group_twice(desk: StaffStore) -> None:
    flagged = [
        asked(desk, 50 + n, reason=Reason.RED_FLAG, asked_at=utc_now() - timedelta(days=n)) for n in (40, 1)
    ]
    often = [asked(desk, n) for n in range(5)]
    once = [asked(desk, 10 + n) for n in range(4)]
    for axis, questions in enumerate([[flagged[0]], often, [flagged[1]], *([one] for one in once)]):
        desk.place([(one.id, along(axis)) for one in questions], Anchors(), None, 10)
    whole = desk.list_groups(GroupFilter())
    assert [group.urgent for group in whole] == [True, True, *[False] * 5]
    assert [group.people for group in whole] == [1, 1, 5, 1, 1, 1, 1]
    assert whole[0].last_asked_at > whole[1].last_asked_at
    pages = [desk.list_groups(GroupFilter(), limit=2, skip=skip) for skip in range(0, 8, 2)]
    assert [group.id for page in pages for group in page] == [group.id for group in whole]


def test_several_processes_place_every_question_once(url: str, desk: StaffStore) -> None:
    questions = [asked(desk, number) for number in range(40)]
    stores = [StaffStore(url) for _ in range(4)]

    def work(store: StaffStore) -> None:
        anchors = Anchors()
        for question in questions:
            store.place([(question.id, along(0))], anchors, None, 100)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [group] = desk.list_groups(GroupFilter())
    assert (group.people, group.questions) == (40, 40)
    for store in stores:
        store.close()


def test_of_two_decisions_at_once_one_wins_and_the_other_is_told(url: str, desk: StaffStore) -> None:
    group = placed(desk, 0, 1)
    outcomes: list[str] = []

    def decide(who: Who, store: StaffStore) -> None:
        try:
            store.decide(group, 0, who, "dismissed", {"reason": "spam"}, state="dismissed")
            outcomes.append("done")
        except Conflict as conflict:
            assert conflict.entry is not None
            outcomes.append("told")

    stores = [StaffStore(url) for _ in range(4)]
    threads = [threading.Thread(target=decide, args=(KIM, store)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "told", "told", "told"]
    assert len(desk.group_page(group).history) == 1
    for store in stores:
        store.close()


def test_a_merge_of_merges_is_taken_back_step_by_step(desk: StaffStore) -> None:
    one, two, three = placed(desk, 0, 1), placed(desk, 1, 2), placed(desk, 2, 3)
    desk.merge(two, 0, KIM, three, total_of)
    desk.merge(one, 0, KIM, two, total_of)
    assert desk.group_page(one).group.people == 3
    with pytest.raises(ReviewError):
        desk.merge(one, 1, KIM, three, total_of)
    with pytest.raises(ReviewError):
        desk.merge(one, 1, KIM, one, total_of)
    desk.undo(one, 1, KIM, desk.group_page(one).history[0].id, total_of)
    assert desk.group_page(one).group.people == 1
    page = desk.group_page(two)
    assert page.group.people == 2
    merged = next(entry for entry in page.history if entry.action == "merged")
    desk.undo(two, page.group.version, DANA, merged.id, total_of)
    assert [desk.group_page(g).group.people for g in (one, two, three)] == [1, 1, 1]


def test_only_who_asks_after_an_answer_was_live_brings_its_question_back(desk: StaffStore) -> None:
    def ask(number: int, at: datetime) -> GroupState:
        question = asked(desk, number, asked_at=at)
        desk.place([(question.id, along(0))], Anchors(), None, 10)
        return desk.group_page(group).group.state

    group = placed(desk, 0, 1)
    desk.decide(group, 0, KIM, "answered", {}, state="answered", topic="faq/pain")
    now = utc_now()
    assert {ask(10 + n, now + timedelta(milliseconds=n)) for n in range(50)} == {GroupState.ANSWERED}
    later = now + timedelta(minutes=1)
    assert {ask(100 + n, later) for n in range(9)} == {GroupState.ANSWERED}
    assert ask(200, later) is GroupState.NEW


def test_erasing_takes_the_person_out_of_the_groups(desk: StaffStore) -> None:
    shared, alone = placed(desk, 0, 1, 2), placed(desk, 1, 3)
    for number in (1, 3):
        receipt, _ = erase_person(desk, somebody(number), KIM, None)
        assert receipt.rows["question_places"] == 1
    assert desk.group_page(shared).group.people == 1
    with pytest.raises(ReviewError, match="erased"):
        desk.group_page(alone)
    assert [one.id for one in desk.list_groups(GroupFilter())] == [shared]
    placed(desk, 1, 4)
    assert len(desk.list_groups(GroupFilter())) == 2, "what was erased draws nothing"


def test_the_history_is_only_appended_to(desk: StaffStore) -> None:
    desk.remember(HistoryEntry("Kim", "tried", "system", "x"))
    for statement in ("UPDATE review_history SET who = 'nobody'", "DELETE FROM review_history"):
        with pytest.raises(Exception, match="only appended"):
            desk._write(lambda c, statement=statement: c.execute(sa.text(statement)))
    assert [entry.who for entry in desk.history()] == ["Kim"]


def test_a_call_back_is_changed_by_one_at_a_time(desk: StaffStore) -> None:
    request = CallbackRequest(somebody(1), "Jane", "+61491570006", "asap", "CB-1", utc_now())
    desk.record_callback(request)
    desk.change_callback(request.id, 0, KIM, "take", CallbackState.TAKEN, "Kim", 0)
    for version in (0, 2):
        with pytest.raises(Conflict):
            desk.change_callback(request.id, version, DANA, "take", CallbackState.TAKEN, "Dana", 0)
    assert desk.callback(request.id).taken_by == "Kim"
    assert [one.request.id for one in desk.callback_list([CallbackState.TAKEN])] == [request.id]


@pytest.mark.parametrize("withdrawal_first", [True, False])
def test_a_call_back_is_withdrawn_unless_it_was_made(desk: StaffStore, withdrawal_first: bool) -> None:
    """In whichever order the two come out of the spool."""
    request = CallbackRequest(somebody(1), "Jane", "+61491570006", "asap", "CB-1", utc_now())
    withdrawal = Event(request.person, CALLBACK_WITHDRAWN, id=request.id)
    for item in (withdrawal, request) if withdrawal_first else (request, withdrawal):
        desk.record_all([item], late=True)
    desk.change_callback(request.id, 0, KIM, "take", CallbackState.TAKEN, "Kim", 0)
    assert desk.callback(request.id).state is CallbackState.WITHDRAWN
    assert desk.callback_list(TO_CALL) == []
    assert [one.taken_by for one in desk.callback_list([CallbackState.WITHDRAWN])] == ["Kim"]
    desk.change_callback(request.id, 1, KIM, "done", CallbackState.DONE, "Kim", 1)
    assert desk.callback(request.id).state is CallbackState.DONE


def test_a_withdrawal_is_kept_as_long_as_its_request(desk: StaffStore) -> None:
    request = CallbackRequest(somebody(1), "Jane", "+61491570006", "asap", "CB-1", utc_now())
    desk.record_all([request, Event(request.person, CALLBACK_WITHDRAWN, id=request.id)])
    later = utc_now() + timedelta(days=1)
    assert desk.delete_older("events", later) == 0
    assert desk.delete_older("callback_requests", later) == 1
    assert desk.delete_older("events", later) == 1


def test_accounts_sessions_and_the_first_one(desk: StaffStore) -> None:
    def account(name: str) -> Account:
        return Account(new_id(), name, Role.ADMIN, "hash", True, True, utc_now())

    kim = account("Kim")
    assert desk.add_account(kim, KIM, only_first=True)
    assert not desk.add_account(account("Lee"), KIM, only_first=True)
    assert desk.account_named(" kIM ") == kim
    desk.start_session("token", kim.id)
    found = desk.session_account("token", timedelta(hours=1))
    assert found is not None
    assert found.id == kim.id
    desk.change_account(kim.id, KIM, "changed_password", password_hash="other")
    assert desk.session_account("token", timedelta(hours=1)) is None


def test_search_and_people_work_on_both(desk: StaffStore) -> None:
    question = asked(desk, 1, "Is there 100% parking?")
    desk.place([(question.id, along(0))], Anchors(), None, 10)
    assert len(desk.list_groups(GroupFilter(text="100% PARK", reason="fallback", channel="website"))) == 1
    assert desk.list_groups(GroupFilter(text="_")) == []
    assert desk.person_with_key(question.person.key) == question.person
    assert [one.person for one in desk.find_people("v1", None)] == [question.person]
    assert desk.held(question.person)["unanswered_questions"][0]["text"] == "Is there 100% parking?"
    assert desk.happenings(utc_now() - timedelta(days=1), utc_now()) == []


def test_what_is_too_old_goes_and_the_rest_stays(desk: StaffStore) -> None:
    from bot.store.turn import Turn

    old, young = utc_now() - timedelta(days=10), utc_now()
    asked(desk, 1, asked_at=old)
    asked(desk, 2, asked_at=young)
    desk.record_all([Turn("v1", int(at.timestamp() * 1e9), b"x") for at in (old, young)])
    for table in ("unanswered_questions", "conversation_turns"):
        assert desk.delete_older(table, utc_now() - timedelta(days=5)) == 1
    assert len(desk.questions()) == 1
    assert len(desk.turns("v1")) == 1


def test_notices_are_taken_once(desk: StaffStore) -> None:
    now = utc_now()
    for _ in range(2):
        desk.spool_notice("digest", "digest-1", now)
    assert desk.take_notices(now) == {"digest": [("digest-1", 0)]}
    assert desk.take_notices(now) == {}
    desk.finish_notices(["digest-1"], sent=True)
    assert desk.notice_states() == {"sent": 1}
