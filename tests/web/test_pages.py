"""Call-backs, outcomes, people and privacy, clinic details, accounts: what staff do on each page."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.model import (
    CALLBACK_WITHDRAWN,
    BookingHandoff,
    CallbackRequest,
    Event,
    HandoffKind,
    OutgoingReply,
    Reply,
    UnansweredQuestion,
    utc_now,
)
from bot.review_model import CallbackState
from bot.store.turn import Turn
from bot.store.turn_codec import pack
from bot.web.csv_file import harmless
from bot.web.desk import Desk
from tests.web.conftest import Staff

Ask = Callable[..., UnansweredQuestion]


def want_call(desk: Desk, sender: str = "v1", hours: float = 1, **more: Any) -> CallbackRequest:
    at = utc_now() - timedelta(hours=hours)
    values = {"name": "Jane Doe", "phone": "+61491570006", "when": "after 3", "reference": "CB-7F3KD"}
    request = CallbackRequest(
        desk.settings.person("website", sender), **{**values, **more}, consent_at=at, requested_at=at
    )
    desk.store.record_callback(request)
    return request


def state_of(desk: Desk, request: CallbackRequest) -> CallbackState:
    return desk.store.callback(request.id).state


def versions(staff: Staff, path: str = "/callbacks") -> list[str]:
    return re.findall(r'name="version" value="(\d+)"', staff.get(path).text)


# ------------------------------------------------------------ call-backs


def test_a_call_back_is_taken_tried_done_and_taken_back(dana: Staff, desk: Desk) -> None:
    request = want_call(desk)
    page = dana.get("/callbacks").text
    assert "0491 570 006" in page
    assert 'href="tel:+61491570006"' in page
    path = f"/callbacks/{request.id}"
    for action, state in (
        ("take", "taken"),
        ("no_answer", "no_answer"),
        ("done", "done"),
        ("undo", "no_answer"),
    ):
        version = str(desk.store.callback(request.id).version)
        assert dana.post(f"{path}/{action}", "/callbacks", version=version).status_code == 302
        assert state_of(desk, request) == CallbackState(state)
    now = desk.store.callback(request.id)
    assert (now.taken_by, now.attempts) == ("Dana", 1)
    assert [entry.action for entry in desk.store.history(request.id)] == [
        "undid",
        "done",
        "no_answer",
        "take",
    ]


def test_the_second_caller_is_told(dana: Staff, kim: Staff, desk: Desk) -> None:
    request = want_call(desk)
    assert dana.post(f"/callbacks/{request.id}/take", "/callbacks", version=0).status_code == 302
    answer = kim.post(f"/callbacks/{request.id}/take", "/callbacks", version=0)
    assert answer.status_code == 409
    assert "Dana was faster" in answer.text
    assert desk.store.callback(request.id).taken_by == "Dana"


def test_nobody_is_called_who_has_withdrawn(dana: Staff, desk: Desk) -> None:
    request = want_call(desk, hours=30)
    desk.store.record_event(Event(request.person, CALLBACK_WITHDRAWN, id=request.id))
    assert "Jane Doe" not in dana.get("/callbacks").text.split("<main")[1]
    page = dana.get("/callbacks?show=all").text.split("<main")[1]
    assert "Withdrawn" in page and "Overdue" not in page and "/take" not in page
    answer = dana.post(f"/callbacks/{request.id}/take", "/callbacks", version=0)
    assert answer.status_code == 422
    assert "please don&#39;t call" in answer.text


def test_those_who_wait_too_long_stand_out_and_the_done_go_away(dana: Staff, desk: Desk) -> None:
    late = want_call(desk, hours=30, name="Rob Late")
    want_call(desk, "v2", hours=2, name="Jane Early")
    page = dana.get("/callbacks").text
    assert page.index("Rob Late") < page.index("Jane Early")
    assert page.count("Overdue") == 1
    dana.post(f"/callbacks/{late.id}/done", "/callbacks", version=0)
    assert "Rob Late" not in dana.get("/callbacks").text.split("<main")[1]
    assert "Rob Late" in dana.get("/callbacks?show=all").text


def test_the_download_opens_without_running_anything(dana: Staff, desk: Desk) -> None:
    want_call(desk, name="=cmd|' /C calc'!A0", when="@SUM(A1)", reference="CB-2QXRT")
    answer = dana.get("/callbacks.csv")
    assert answer.mimetype == "text/csv"
    [row] = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert row["Name"] == "'=cmd|' /C calc'!A0"
    assert row["When"] == "'@SUM(A1)"
    assert row["Phone"] == "0491 570 006"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝"])
def test_no_cell_begins_a_formula(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"
    assert harmless("plain") == "plain"
    assert harmless(-3) == -3


# ------------------------------------------------------------ outcomes


def test_the_page_the_tables_and_the_file_say_the_same(dana: Staff, desk: Desk) -> None:
    person = desk.settings.person("website", "v1")
    desk.store.record_all(
        [
            Event(person, "message", {"intent": "faq/pain"}),
            Event(person, "answered", {"topic": "faq/pain"}),
            BookingHandoff(person, HandoffKind.BOOKING_LINK, "https://example.com"),
        ]
    )
    page = dana.get("/outcomes").text
    assert "Does it hurt?" in page
    rows = list(csv.DictReader(io.StringIO(dana.get("/outcomes.csv").text.lstrip("\ufeff"))))
    assert len(rows) == 30
    assert {name: value for name, value in rows[-1].items() if value == "1"} == {
        "Conversations": "1",
        "Helped": "1",
        "Messages": "1",
        "Questions answered": "1",
        "Booking link given": "1",
    }


@pytest.mark.parametrize(
    "query", ["from=x&to=y", "from=2020-01-01&to=2099-01-01", "from=2026-02-31", "to=0001-01-01"]
)
def test_odd_days_are_put_right(dana: Staff, query: str) -> None:
    assert dana.get(f"/outcomes?{query}").status_code == 200
    assert len(dana.get(f"/outcomes.csv?{query}").text.splitlines()) <= 367


# ------------------------------------------------------------ people and privacy


def everything_of(desk: Desk, ask: Ask, sender: str = "v1") -> UnansweredQuestion:
    question = ask("can [name] come along", sender)
    person = question.person
    want_call(desk, sender)
    said = pack([{"event": "user", "text": "I am Jane Doe, can I come?", "timestamp": 1.0}])
    desk.store.record_all(
        [
            Event(person, "message"),
            BookingHandoff(person, HandoffKind.PHONE, "1300 455 792"),
            OutgoingReply(person, Reply("Dear Jane", author="staff"), "Kim"),
            Turn(person.sender_id, int(utc_now().timestamp() * 1e9), said),
        ]
    )
    return question


@pytest.mark.parametrize("text", ["0491 570 006", "+61 491 570 006", "jane", "cb-7f3kd", "v1"])
def test_a_person_is_found_by_what_they_know(kim: Staff, desk: Desk, ask: Ask, text: str) -> None:
    question = everything_of(desk, ask)
    everything_of(desk, ask, "somebody-else") if text == "v1" else None
    page = kim.get("/people", query_string={"text": text}).text
    assert f"/people/{question.person.key}" in page


def test_nobody_is_found_by_a_wildcard(kim: Staff, desk: Desk, ask: Ask) -> None:
    everything_of(desk, ask)
    for text in ("%", "_", "'", "0491"):
        assert "Nobody found" in kim.get("/people", query_string={"text": text}).text


def test_everything_held_is_shown_and_downloaded(kim: Staff, desk: Desk, ask: Ask) -> None:
    key = everything_of(desk, ask).person.key
    page = kim.get(f"/people/{key}").text
    for held in ("Jane Doe", "I am Jane Doe, can I come?", "Dear Jane", "CB-7F3KD", "can [name] come along"):
        assert held in page
    assert not re.search(r"<dd[^>]*>\d{4}-\d\d-\d\dT", page), "times are those at the clinic"
    assert "Consent at" in page
    held = json.loads(kim.get(f"/people/{key}.json").text)
    assert held["callback_requests"][0]["phone"] == "+61491570006"
    assert held["conversation_turns"][0]["events"][0]["text"] == "I am Jane Doe, can I come?"


def test_an_erased_person_is_gone_everywhere_and_there_is_a_receipt(kim: Staff, desk: Desk, ask: Ask) -> None:
    key = everything_of(desk, ask).person.key
    other = ask("can a friend come along", "v2")
    request = desk.store.callback_list()[0].request
    kim.post(f"/callbacks/{request.id}/take", version=0)
    assert kim.post(f"/people/{key}/erase", f"/people/{key}").status_code == 422, "not by a slip"
    answer = kim.post(f"/people/{key}/erase", f"/people/{key}", sure="yes")
    receipt = json.loads(kim.get(answer.headers["Location"] + ".json").text)
    assert receipt["erased_by"] == "Kim"
    assert {name: rows for name, rows in receipt["rows"].items() if rows} == {
        "unanswered_questions": 1,
        "question_places": 1,
        "callback_requests": 1,
        "callback_states": 1,
        "events": 1,
        "booking_handoffs": 1,
        "outgoing_replies": 1,
        "conversation_turns": 1,
    }
    read = kim.get(answer.headers["Location"]).text
    for title in ("Call-back requests", "Places in groups of questions", "What goes to Messenger"):
        assert f"<td>{title}</td>" in read
    assert "_" not in "".join(re.findall("<td>([^<]*)</td>", read))
    assert kim.get(f"/people/{key}").status_code == 404
    queue = kim.get("/").text
    assert "can [name] come along" not in queue
    assert "can a friend come along" in queue
    assert desk.store.group_page(desk.store.groups_of(other.person.key)[0]).group.people == 1


def test_the_periods_are_shown_and_enforced(kim: Staff, desk: Desk, ask: Ask) -> None:
    from bot.privacy import enforce_retention

    ask("an old question", age=24 * 800)
    ask("a young question", "v2", age=24 * 700)
    want_call(desk, "v3", hours=24 * 400, name="Old Call")
    want_call(desk, "v4", hours=24 * 300, name="Young Call")
    old = desk.settings.person("website", "v5")
    at = int((utc_now() - timedelta(days=400)).timestamp() * 1e9)
    desk.store.record_all([Turn(old.sender_id, at + n, pack([])) for n in range(3)])
    rows = enforce_retention(desk.store, desk.settings)
    assert (rows["unanswered_questions"], rows["callback_requests"], rows["conversation_turns"]) == (1, 1, 3)
    assert [one.request.name for one in desk.store.callback_list()] == ["Young Call"]
    queue = kim.get("/").text
    assert "a young question" in queue
    assert "an old question" not in queue
    page = kim.get("/people").text
    assert "<td>Conversations</td><td>365</td>" in page
    assert "deleted last" in page


# ------------------------------------------------------------ clinic details


def clinic_form(staff: Staff, **changes: str) -> dict[str, str]:
    page = staff.get("/clinic").text
    found = re.findall(r'name="(was:[^"]+)" value="([^"]*)"', page)
    was = {name: html.unescape(value) for name, value in found}
    now = {name[4:]: value for name, value in was.items()}
    return {**was, **now, **{name.replace("__", "."): value for name, value in changes.items()}}


def test_a_changed_detail_is_live_and_can_be_taken_back(kim: Staff, desk: Desk) -> None:
    assert (
        kim.post("/clinic", "/clinic", **clinic_form(kim, phone="02 9999 1234", offer__code="")).status_code
        == 302
    )
    assert desk.clinic.clinic.phone == "02 9999 1234"
    assert desk.clinic.clinic.offer is None
    page = kim.get("/clinic").text
    assert "In clinic.yml: 1300 455 792" in page
    assert "Changed the clinic’s details: Discount code, Phone" in page
    entry = re.search(r'name="entry" value="(\w+)"', page)[1]
    kim.post("/clinic/undo", "/clinic", entry=entry)
    assert desk.clinic.clinic.phone == "1300 455 792"
    assert desk.clinic.clinic.offer.code == "miliagone"
    assert kim.post("/clinic/undo", "/clinic", entry=entry).status_code == 409


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("phone", "call me", "“Phone” has to be a number"),
        ("booking_url", "javascript:alert(1)", "“Online booking” has to start with https://"),
        ("offer__terms", "", "“Terms of the offer” is missing"),
        ("offer__starts", "soon", "“First day” is &#39;soon&#39;; write a day as YYYY-MM-DD"),
        ("offer__starts", "2999-01-01", "“Last day” is before the first day"),
        ("specialist", "", "“Specialist” is missing"),
    ],
)
def test_a_malformed_detail_is_refused_and_named(
    kim: Staff, desk: Desk, field: str, value: str, says: str
) -> None:
    fields = clinic_form(kim, **{"offer__ends": "2998-12-31", field: value})
    answer = kim.post("/clinic", "/clinic", **fields)
    assert answer.status_code == 422
    assert f"Nothing was saved: {says}" in answer.text
    assert answer.text.count("aria-invalid=true") == answer.text.count("<b>It ") == 1
    assert desk.store.clinic_overrides() == {}


def test_two_who_change_the_details_don_t_overwrite_each_other(kim: Staff, desk: Desk) -> None:
    outdated = clinic_form(kim, hours="Monday to Friday")
    kim.post("/clinic", "/clinic", **clinic_form(kim, hours="Every day"))
    answer = kim.post("/clinic", "/clinic", **outdated)
    assert answer.status_code == 409
    assert "Stands now: Every day" in answer.text
    assert desk.clinic.clinic.hours == "Every day"


# ------------------------------------------------------------ accounts


def test_the_last_admin_stays_and_nobody_locks_themselves_out(kim: Staff) -> None:
    own = f"/accounts/{kim.account.id}"
    for action in ("off", "reset"):
        assert kim.post(f"{own}/{action}", "/accounts").status_code == 422
    answer = kim.post(f"{own}/role", "/accounts", role="reviewer")
    assert answer.status_code == 422
    assert "One active admin has to stay." in answer.text


def test_a_name_is_taken_once_however_it_is_written(kim: Staff, dana: Staff) -> None:
    for name in ("dana", " DANA "):
        assert kim.post("/accounts", "/accounts", name=name, role="reviewer").status_code == 422
