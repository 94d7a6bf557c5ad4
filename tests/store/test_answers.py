"""Answers on SQLite and PostgreSQL: revisions, approval, undo, being faster, and what staff settled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from bot.answer_model import Answer, AnswerState
from bot.grouping import Anchors, total_of
from bot.model import Person, Reason, UnansweredQuestion, utc_now
from bot.privacy import erase_person
from bot.review_model import Conflict, GroupState, ReviewError, Who
from bot.store.answers import AnswerStore, undoable_steps
from bot.store.staff_store import StaffStore

KIM, DANA = Who("Kim", "k" * 32), Who("Dana", "d" * 32)
PARKING = Answer(
    "faq/parking", "Parking", "There is a car park behind the clinic. 🚗", ("faq/pain", "ask_phone"),
    ("where can I park", "is there parking", "car park?"), owner="Kim", review_by=date(2027, 3, 1),
)  # fmt: skip


@pytest.fixture
def desk(url: str) -> Iterator[StaffStore]:
    store = StaffStore(url)
    store.migrate()
    yield store
    store.close()


def asked(store: StaffStore, axis: int, number: int, text: str, **more: Any) -> str:
    """A question along one direction of meaning; its group."""
    person = Person("website", f"v{number}", f"{number:032x}")
    question = UnansweredQuestion(person, text, more.pop("reason", Reason.FALLBACK), **more)
    store.record_question(question)
    vector = np.zeros(384, np.float16)
    vector[axis] = 1
    anchors = Anchors()
    store.place([(question.id, vector.tobytes())], anchors, None, 10)
    return store.groups_of(person.key)[0]


def version_of(store: StaffStore, group: str) -> int:
    return store.group_page(group).group.version


def settle(store: StaffStore, group: str, state: GroupState, **more: Any) -> None:
    store.decide(group, version_of(store, group), KIM, state.value, state=state.value, **more)


def resolved(store: StaffStore) -> dict[str, str]:
    return {one.text: one.intent for one in store.resolved_questions()}


def test_a_revision_comes_back_as_it_was_written(desk: StaffStore) -> None:
    before = desk.version()
    saved = desk.save(PARKING, 0, KIM)
    assert desk.answers() == [saved]
    assert saved.content == PARKING.content
    assert (saved.revision, saved.written_by, saved.approved_by) == (1, "Kim", "Kim")
    assert desk.version() > before
    again = desk.save(replace(PARKING, text="Park behind the clinic.", review_by=None), 1, DANA)
    assert desk.answers() == [again]
    assert [one.revision for one in desk.revisions("faq/parking")] == [2, 1]
    newest = desk.history("faq/parking")[0]
    assert (newest.who, newest.data["changed"]) == ("Dana", ["text", "review_by"])
    assert "car park" not in str(newest.data), "the history keeps no texts"


def test_who_was_slower_overwrites_nothing(desk: StaffStore) -> None:
    desk.save(PARKING, 0, KIM)
    with pytest.raises(Conflict) as told:
        desk.save(replace(PARKING, text="Other"), 0, DANA)
    assert told.value.entry is not None
    assert told.value.entry.who == "Kim"
    assert [one.text for one in desk.revisions("faq/parking")] == [PARKING.text]


def test_of_several_at_the_same_moment_one_is_first(desk: StaffStore) -> None:
    desk.save(PARKING, 0, KIM)
    gate = threading.Barrier(4)
    outcomes: list[str] = []

    def write(number: int) -> None:
        gate.wait()
        try:
            desk.save(replace(PARKING, text=f"Text {number}"), 1, KIM)
            outcomes.append("saved")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "saved"]
    assert len(desk.revisions("faq/parking")) == 2


def test_a_second_person_approves(desk: StaffStore) -> None:
    desk.save(PARKING, 0, KIM)
    desk.save(replace(PARKING, text="Better"), 1, KIM, waits=True)
    assert [one.text for one in desk.answers()] == [PARKING.text]
    assert [one.text for one in desk.pending_answers()] == ["Better"]
    with pytest.raises(ReviewError, match="second person"):
        desk.approve("faq/parking", 2, KIM)
    desk.approve("faq/parking", 2, DANA)
    (live,) = desk.answers()
    assert (live.text, live.written_by, live.approved_by) == ("Better", "Kim", "Dana")
    assert desk.pending_answers() == []
    with pytest.raises(Conflict):
        desk.approve("faq/parking", 2, DANA)


def test_withdrawn_restored_taken_back(desk: StaffStore) -> None:
    desk.save(PARKING, 0, KIM)
    desk.withdraw("faq/parking", 1, KIM)
    assert desk.answers() == []
    desk.restore("faq/parking", 1, 2, DANA)
    assert desk.answers()[0].text == PARKING.text
    desk.save(replace(PARKING, text="Worse"), 3, DANA)
    for text in (PARKING.text, "", PARKING.text, ""):  # 4 undone, 3 undone, 2 undone, 1 undone
        step = undoable_steps(desk.history("faq/parking"))[0]
        standing = desk.answer_standing("faq/parking")
        assert standing is not None
        desk.undo_answer("faq/parking", standing.latest.revision, KIM, step.id)
        assert [one.text for one in desk.answers()] == ([text] if text else [])
    assert undoable_steps(desk.history("faq/parking")) == []
    assert len(desk.revisions("faq/parking")) == 8


def test_an_outdated_answer_comes_back_once(desk: StaffStore) -> None:
    desk.save(PARKING, 0, KIM)
    day = date(2027, 3, 1)
    assert desk.mark_due(day) == [], "the day itself still counts"
    assert desk.mark_due(day + timedelta(days=1)) == ["faq/parking"]
    assert desk.mark_due(day + timedelta(days=2)) == []
    assert [one.topic for one in desk.due_answers()] == ["faq/parking"]
    assert desk.history("faq/parking")[0].action == "review_due"
    desk.save(replace(PARKING, review_by=date(2028, 1, 1)), 1, KIM)
    assert desk.due_answers() == []


def test_what_staff_settled_is_known_with_what_it_must_get(desk: StaffStore) -> None:
    park = asked(desk, 0, 1, "is there parking")
    asked(desk, 0, 2, "where can I park?")
    asked(desk, 0, 3, "I am [name], is there parking")
    asked(desk, 0, 4, "a photo", reason=Reason.UNSUPPORTED)
    asked(desk, 0, 9, "my eye bleeds, is there parking", reason=Reason.RED_FLAG)
    clinical, other, noise = (asked(desk, axis, 4 + axis, f"question {axis}") for axis in (1, 2, 3))
    assert resolved(desk) == {}
    before = desk.version()
    settle(desk, park, GroupState.ANSWERED, topic="faq/parking")
    settle(desk, clinical, GroupState.CLINICAL)
    settle(desk, other, GroupState.OUT_OF_SCOPE)
    settle(desk, noise, GroupState.DISMISSED)
    assert resolved(desk) == {
        "is there parking": "faq/parking", "where can I park?": "faq/parking",
        "question 1": "ask_medical", "question 2": "out_of_scope",
    }  # fmt: skip
    assert desk.version() > before
    assert {one.resolved_by for one in desk.resolved_questions()} == {"Kim"}
    assert sorted(one.is_refused for one in desk.resolved_questions()) == [False, False, True, True]


def test_wordings_that_nobody_has_seen_yet_are_not_settled(desk: StaffStore) -> None:
    group = asked(desk, 0, 1, "is there parking")
    settle(desk, group, GroupState.ANSWERED, topic="faq/parking")
    asked(desk, 0, 2, "parking for a truck", asked_at=utc_now() + timedelta(seconds=5))
    assert list(resolved(desk)) == ["is there parking"]


def test_what_is_taken_back_or_erased_is_not_settled_any_more(desk: StaffStore) -> None:
    group = asked(desk, 0, 1, "is there parking")
    asked(desk, 0, 2, "can I park there")
    settle(desk, group, GroupState.ANSWERED, topic="faq/parking")
    before = desk.version()
    erase_person(desk, Person("website", "v1", f"{1:032x}"), KIM, None)
    assert list(resolved(desk)) == ["can I park there"]
    assert desk.version() > before
    page = desk.group_page(group)
    desk.undo(group, page.group.version, KIM, page.history[0].id, total_of)
    assert resolved(desk) == {}


def test_an_answer_for_a_question_settles_it_and_loses_it_again(desk: StaffStore) -> None:
    group = asked(desk, 0, 1, "is there parking")
    desk.save(PARKING, 0, KIM, group=(group, version_of(desk, group)))
    page = desk.group_page(group)
    assert (page.group.state, page.group.topic) == (GroupState.ANSWERED, "faq/parking")
    assert resolved(desk) == {"is there parking": "faq/parking"}
    desk.withdraw("faq/parking", 1, KIM)
    page = desk.group_page(group)
    assert page.group.state is GroupState.NEW
    assert page.history[0].action == "returned"
    assert resolved(desk) == {}


def test_a_question_waits_with_the_answer_that_was_written_for_it(desk: StaffStore) -> None:
    group = asked(desk, 0, 1, "is there parking")
    desk.save(PARKING, 0, KIM, waits=True, group=(group, version_of(desk, group)))
    assert desk.group_page(group).group.state is GroupState.IN_REVIEW
    assert desk.answers() == []
    desk.approve("faq/parking", 1, DANA)
    assert desk.group_page(group).group.state is GroupState.ANSWERED
    assert [one.state for one in desk.answers()] == [AnswerState.APPROVED]


def test_nothing_is_written_when_the_question_was_changed_meanwhile(desk: StaffStore) -> None:
    group = asked(desk, 0, 1, "is there parking")
    seen = version_of(desk, group)
    settle(desk, group, GroupState.OUT_OF_SCOPE)
    with pytest.raises(Conflict):
        desk.save(PARKING, 0, DANA, group=(group, seen))
    assert desk.revisions("faq/parking") == []


def test_the_store_of_answers_works_alone(url: str) -> None:
    store = AnswerStore(url)
    store.migrate()
    store.save(PARKING, 0, KIM)
    assert [one.topic for one in store.answers()] == ["faq/parking"]
    store.close()
