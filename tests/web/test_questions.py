"""The queue and what is decided about a question: decided once, taken back, replied to, not overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml
from flask import Flask

from bot.model import Candidate, Reason, UnansweredQuestion, utc_now
from bot.review_model import GroupFilter, GroupState, NotThere
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_model import EventKind, InboxEvent
from bot.web.desk import Desk
from tests.conftest import ROOT
from tests.web.conftest import Staff

Ask = Callable[..., UnansweredQuestion]
GroupOf = Callable[[UnansweredQuestion], str]


def version_on(staff: Staff, group: str) -> str:
    return re.search(r'name="version" value="(\d+)"', staff.get(f"/questions/{group}").text)[1]


def act(staff: Staff, group: str, action: str, **fields: Any) -> Any:
    fields.setdefault("version", version_on(staff, group))
    return staff.post(f"/questions/{group}/{action}", **fields)


def titles(staff: Staff, query: str = "") -> list[str]:
    return re.findall(r'class="title [^>]*>([^<]*)<', staff.get(f"/{query}").text)


def latest(desk: Desk, group: str) -> str:
    return desk.store.group_page(group).history[0].id


def test_paraphrases_are_one_line_counted_by_people(dana: Staff, ask: Ask) -> None:
    ask("do you sell gift vouchers?", "v1", age=3)
    ask("can I buy a voucher as a gift", "v2", age=2)
    ask("gift voucher available?", "m1", channel="facebook", age=1)
    ask("do you sell gift vouchers", "v1")
    ask("is there parking", "v3", reason=Reason.RED_FLAG)
    page = dana.get("/").text
    assert titles(dana) == ["is there parking", "do you sell gift vouchers?"], "the red flag first"
    assert "<strong>3 people</strong>, asked 4 times" in page
    assert "Website, Messenger" in page
    assert "Nearest: Does it hurt?, 40%" in page
    assert "Red flag" in page


def test_people_and_recency_order_the_queue(dana: Staff, ask: Ask) -> None:
    for number in range(3):
        ask("do you do teeth whitening", f"old{number}", age=24 * 30)
    ask("is there parking", "new")
    ask("do you sell gift vouchers", "a", age=1)
    ask("can I buy a gift voucher", "b", age=1)
    assert titles(dana) == ["do you sell gift vouchers", "is there parking", "do you do teeth whitening"]


def test_filters_and_search_narrow_the_list(dana: Staff, ask: Ask, group_of: GroupOf) -> None:
    mine = ask("do you sell gift vouchers")
    ask("is there parking 100%", "v2", channel="facebook", reason=Reason.THUMBS_DOWN)
    assert (
        titles(dana, "?reason=thumbs_down") == titles(dana, "?channel=facebook") == ["is there parking 100%"]
    )
    assert titles(dana, "?text=GIFT+vouchers") == ["do you sell gift vouchers"]
    assert titles(dana, "?text=100%25") == ["is there parking 100%"]
    assert titles(dana, "?text=_") == []
    act(dana, group_of(mine), "assign", to=dana.account.id)
    assert titles(dana, "?mine=1") == ["do you sell gift vouchers"]
    assert "Nothing matches" in dana.get("/?text=unicorn").text
    assert len(titles(dana, "?view=nonsense&page=nonsense&reason=nonsense")) == 2


def test_an_empty_queue_says_so(dana: Staff) -> None:
    assert "Nothing to decide." in dana.get("/").text


DECISIONS = [
    ("answered", {"topic": "faq/pain"}, GroupState.ANSWERED, "answered"),
    ("clinical", {}, GroupState.CLINICAL, "clinical"),
    ("out-of-scope", {}, GroupState.OUT_OF_SCOPE, "out_of_scope"),
    ("dismiss", {"reason": "spam"}, GroupState.DISMISSED, "dismissed"),
    ("needs-answer", {}, GroupState.IN_REVIEW, "open"),
]


@pytest.mark.parametrize(("action", "fields", "state", "view"), DECISIONS)
def test_a_decision_is_made_told_and_taken_back(
    dana: Staff,
    desk: Desk,
    ask: Ask,
    group_of: GroupOf,
    action: str,
    fields: Any,
    state: GroupState,
    view: str,
) -> None:
    group = group_of(ask("does it sting"))
    assert act(dana, group, action, **fields).headers["Location"] == "/"
    assert desk.store.group_page(group).group.state is state
    assert titles(dana, f"?view={view}") == ["does it sting"]
    assert "Dana" in dana.get("/history").text
    act(dana, group, "undo", entry=latest(desk, group))
    assert desk.store.group_page(group).group.state is GroupState.NEW
    assert titles(dana) == ["does it sting"]
    history = desk.store.group_page(group).history
    assert [entry.action for entry in history] == ["undid", history[1].action]
    assert history[0].undoes == history[1].id


def test_the_message_after_a_decision_takes_it_back(
    dana: Staff, kim: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    group = group_of(ask("does it sting"))

    def decided() -> dict[str, str]:
        act(dana, group, "answered", topic="faq/pain")
        told = re.search(r'class="told".*?</form>', dana.get("/").text, re.DOTALL)[0]
        assert f'action="/questions/{group}/undo"' in told
        return dict(re.findall(r'name="(version|entry)" value="(\w+)"', told))

    assert dana.post(f"/questions/{group}/undo", **decided()).status_code == 302
    assert desk.store.group_page(group).group.state is GroupState.NEW
    fields = decided()
    act(kim, group, "dismiss", reason="spam")
    assert dana.post(f"/questions/{group}/undo", **fields).status_code == 409, "Kim decided since"
    assert desk.store.group_page(group).group.state is GroupState.DISMISSED


def test_only_a_likely_topic_is_chosen_beforehand(dana: Staff, ask: Ask, group_of: GroupOf) -> None:
    near = (Candidate("out_of_scope", 0.9), Candidate("faq/pain", 0.3), Candidate("faq/size", 0.04))
    likely = dana.get(f"/questions/{group_of(ask('does it sting', candidates=near))}").text
    assert re.search(r'value="faq/pain" checked', likely)
    assert "Came close: Does it hurt? 30%</p>" in likely
    assert 'name="topic" value="faq/size"' not in likely
    near = (Candidate("out_of_scope", 0.9), Candidate("faq/procedure", 0.2))
    unlikely = dana.get(f"/questions/{group_of(ask('is there parking', 'v2', candidates=near))}").text
    assert 'name="topic" value="faq/procedure" >' in unlikely and " checked" not in unlikely
    unknown = ask("spider veins", "v3", candidates=(Candidate("faq/procedure", 0.004),))
    for page in (dana.get("/").text, dana.get(f"/questions/{group_of(unknown)}").text):
        assert "0%<" not in page.replace("30%<", "").replace("20%<", "")
    assert act(dana, group_of(unknown), "answered").status_code == 422


def test_a_red_flag_leads_to_the_reply(dana: Staff, ask: Ask, group_of: GroupOf) -> None:
    flagged = ask("i feel like killing myself", reason=Reason.RED_FLAG)
    page = dana.get(f"/questions/{group_of(flagged)}").text
    assert "said where to get help" in page
    assert f'href="#reply-{flagged.id}"' in page
    assert f'<details id="reply-{flagged.id}" open>' in page
    unreachable = ask("the bump is bleeding", "v2", channel="rest", reason=Reason.RED_FLAG)
    page = dana.get(f"/questions/{group_of(unreachable)}").text
    assert "said where to get help" in page and "Consider" not in page


def test_a_decision_needs_what_it_is_about(dana: Staff, ask: Ask, group_of: GroupOf) -> None:
    group = group_of(ask("does it sting"))
    for action, fields in {
        "answered": {"topic": "faq/nothing"},
        "dismiss": {"reason": "x"},
        "comment": {},
    }.items():
        assert act(dana, group, action, **fields).status_code == 422
    assert act(dana, group, "answered", topic="ask_price").status_code == 422, "it has no answer"
    assert dana.post(f"/questions/{group}/answered", topic="faq/pain").status_code == 400
    assert act(dana, group, "dance").status_code == 404


def test_steps_are_taken_back_one_after_the_other(
    dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    group = group_of(ask("does it sting"))
    act(dana, group, "needs-answer")
    first = latest(desk, group)
    act(dana, group, "answered", topic="faq/pain")
    second = latest(desk, group)
    assert act(dana, group, "undo", entry=first).status_code == 409, "the newer one first"
    assert act(dana, group, "undo", entry=second).status_code == 302
    page = desk.store.group_page(group)
    assert (page.group.state, page.group.needs_answer, page.group.topic) == (GroupState.IN_REVIEW, True, "")
    assert act(dana, group, "undo", entry=first).status_code == 302
    assert desk.store.group_page(group).group.state is GroupState.NEW
    assert act(dana, group, "undo", entry=first).status_code == 409


def test_the_second_of_two_is_told_and_overwrites_nothing(
    kim: Staff, dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    group = group_of(ask("does it sting"))
    seen_by_both = version_on(kim, group)
    act(dana, group, "answered", topic="faq/pain", version=seen_by_both)
    answer = act(kim, group, "dismiss", reason="spam", version=seen_by_both)
    assert answer.status_code == 409
    assert "Dana was faster: Answered by “Does it hurt?”." in answer.text
    assert desk.store.group_page(group).group.state is GroupState.ANSWERED
    reply = act(
        kim,
        group,
        "reply",
        reply="Typed with care",
        version=seen_by_both,
        question=desk.store.group_page(group).questions[0].id,
    )
    assert reply.status_code == 409
    assert "Typed with care" in reply.text, "what was typed is not lost"


def test_dismissed_stays_dismissed_until_many_more_ask(
    dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    group = group_of(ask("are you robots", "v0"))
    act(dana, group, "dismiss", reason="other")
    later = -1 / 60  # a minute after the decision: who asks in the same moment says nothing about it
    for number in range(9):
        ask("are you a robot", f"again{number}", age=later)
        ask("are you a robot", f"again{number}", age=later)
    assert desk.store.group_page(group).group.state is GroupState.DISMISSED
    ask("are you a robot", "the tenth", age=later)
    assert desk.store.group_page(group).group.state is GroupState.NEW
    assert "Came back: many more people asked it" in dana.get(f"/questions/{group}").text


def test_merging_is_kept_for_new_questions_and_taken_back(
    dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    parking, car = group_of(ask("is there parking", "v1")), group_of(ask("can I leave my ute nearby", "v2"))
    act(dana, parking, "merge", source=car)
    ask("can I leave my ute nearby please", "v3")
    assert len(titles(dana)) == 1
    assert desk.store.group_page(parking).group.people == 3
    moved = dana.get(f"/questions/{car}")
    assert moved.headers["Location"] == f"/questions/{parking}"
    act(dana, parking, "undo", entry=latest(desk, parking))
    assert desk.store.group_page(parking).group.people == 1
    assert desk.store.group_page(car).group.people == 2, "with the one that came meanwhile"


def test_splitting_is_kept_for_new_questions_and_taken_back(
    dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    hair, tattoo = ask("do you do laser hair removal", "v1"), ask("do you do laser tattoo removal", "v2")
    group = group_of(hair)
    if group_of(tattoo) != group:
        act(dana, group, "merge", source=group_of(tattoo))
    assert act(dana, group, "split").status_code == 422
    assert act(dana, group, "split", question=[hair.id, tattoo.id]).status_code == 422
    act(dana, group, "split", question=tattoo.id)
    ask("laser tattoo removal please", "v3")
    assert [desk.store.group_page(g).group.people for g in (group, group_of(tattoo))] == [1, 2]
    act(dana, group, "undo", entry=latest(desk, group))
    assert desk.store.group_page(group).group.people == 3
    with pytest.raises(NotThere):
        desk.store.group_page("f" * 32)


def test_nothing_stands_in_two_groups_or_none(dana: Staff, desk: Desk, ask: Ask) -> None:
    asked = [
        ask(text, f"v{n}") for n, text in enumerate(["parking?", "is there parking", "vouchers", "gift card"])
    ]
    groups = desk.store.list_groups(GroupFilter(), limit=100)
    placed = [one.id for group in groups for one in desk.store.group_page(group.id).questions]
    assert sorted(placed) == sorted(one.id for one in asked)
    assert desk.review.group_new() == 0


def test_a_reply_waits_for_the_person_and_can_be_taken_back_until_it_is_delivered(
    dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    question = ask("do you sell gift vouchers")
    group = group_of(question)
    act(dana, group, "reply", question=question.id, reply="  We do!\r\nAsk at the desk. ")
    [waiting] = desk.store.pending_replies("website")
    assert (waiting.person, waiting.written_by) == (question.person, "Dana")
    assert (waiting.reply.text, waiting.reply.author) == ("We do!\nAsk at the desk.", "staff")
    act(dana, group, "undo", entry=latest(desk, group))
    assert not desk.store.pending_replies("website")
    act(dana, group, "reply", question=question.id, reply="We do!")
    desk.store.mark_reply_sent(desk.store.pending_replies("website")[0].id)
    assert "delivered" in dana.get(f"/questions/{group}").text
    assert act(dana, group, "undo", entry=latest(desk, group)).status_code == 422


@pytest.mark.parametrize(("hours", "may"), [(1, True), (25, False)])
def test_how_long_messenger_lets_staff_reply(
    dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf, hours: int, may: bool
) -> None:
    asked = utc_now() - timedelta(hours=hours)
    event = InboxEvent("100", "6001", "m_1", EventKind.TEXT, asked, "do you sell gift vouchers")
    Inbox(desk.store, lambda conversation: desk.settings.person("facebook", conversation).key).receive(
        [event]
    )
    group = group_of(ask("do you sell gift vouchers", event.conversation, "facebook", age=hours))
    page = dana.get(f"/questions/{group}").text
    assert ("Messenger lets you reply until" in page) is may
    assert ("Reply to this person" in page) is may
    assert ("You can’t reply to this person. Messenger allows replies for 24 hours" in page) is not may


def test_nobody_is_written_to_where_they_cannot_be_reached(dana: Staff, ask: Ask, group_of: GroupOf) -> None:
    question = ask("do you sell gift vouchers", channel="rest")
    assert "Reply to this person" not in dana.get(f"/questions/{group_of(question)}").text
    assert act(dana, group_of(question), "reply", question=question.id, reply="Hi").status_code == 422


def test_colleagues_are_asked_and_answer(
    dana: Staff, kim: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    group = group_of(ask("do you sell gift vouchers"))
    act(dana, group, "assign", to=kim.account.id)
    act(dana, group, "comment", comment="Do we?")
    page = kim.get(f"/questions/{group}").text
    assert "Asked Kim to look at it" in page
    assert "Do we?" in page
    act(dana, group, "undo", entry=latest(desk, group))
    assert "Do we?" not in kim.get(f"/questions/{group}").text
    assert "Do we?" not in json.dumps([dict(e.data) for e in desk.store.history()]), "history keeps no text"


def test_the_history_cannot_be_changed_even_in_the_database(desk: Desk, dana: Staff) -> None:
    assert desk.store.history()
    for statement in ("UPDATE review_history SET who = 'nobody'", "DELETE FROM review_history"):
        with pytest.raises(Exception, match="only appended"):
            desk.store._write(lambda c, statement=statement: c.exec_driver_sql(statement))


# ------------------------------------------------------------ hostile texts

HOSTILE = [
    one
    for one in yaml.safe_load((ROOT / "tests/data/hostile.yml").read_text())
    if one["where"] == "staff_form"
]
SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "{{7*7}}{% x %}",
    "javascript:alert(4)",
    "call \u202e297 554 0031\x00 now",
    "'; DROP TABLE events; --",
]


def hostile_texts() -> list[str]:
    texts = list(SCRIPTS)
    for one in HOSTILE:
        if "payload" in one:
            try:
                fields = json.loads(one["payload"])
            except ValueError:
                fields = one["payload"]
            texts += [str(v) for v in fields.values()] if isinstance(fields, dict) else [str(fields)]
    return texts


@pytest.mark.parametrize("text", hostile_texts())
def test_whatever_is_typed_is_shown_as_text(
    kim: Staff, desk: Desk, ask: Ask, group_of: GroupOf, text: str
) -> None:
    question = ask(text, context=(("visitor", text), ("bot", text)), language=text[:30], model_release=text)
    group = group_of(question)
    for action, fields in {
        "comment": {"comment": text},
        "reply": {"question": question.id, "reply": text},
        "answered": {"topic": text},
        "dismiss": {"reason": text},
        "merge": {"source": text},
        "assign": {"to": text},
        "split": {"question": text},
        "undo": {"entry": text},
    }.items():
        assert act(kim, group, action, **fields).status_code in (302, 400, 404, 409, 422), action
    assert kim.post("/accounts", "/accounts", name=text, role=text).status_code in (400, 422)
    clinic = {"hours": text, "phone": text, "offer.code": text}
    assert kim.post("/clinic", "/clinic", **clinic).status_code in (400, 409, 422)
    pages = [kim.get(path, query_string={"text": text}) for path in ("/", "/people", "/history")]
    pages += [kim.get(f"/questions/{group}"), kim.get(f"/people/{question.person.key}"), kim.get("/accounts")]
    for page in pages:
        assert page.status_code == 200
        for tag in ("<script>alert", "<img src=x", "<svg onload"):
            assert tag not in page.text
        assert ">49<" not in page.text


def test_too_much_is_refused(dana: Staff, ask: Ask, group_of: GroupOf) -> None:
    question = ask("do you sell gift vouchers")
    group = group_of(question)
    assert act(dana, group, "reply", question=question.id, reply="x" * 2001).status_code == 422
    assert act(dana, group, "comment", comment="x" * 2001).status_code == 400
    assert act(dana, group, "comment", comment="x" * 300_000).status_code == 413
    assert dana.get("/?text=" + "x" * 201).status_code == 400


def test_while_the_database_is_away_pages_say_so(
    app: Flask, desk: Desk, kim: Staff, monkeypatch: Any
) -> None:
    from bot.store.store import StoreUnavailable

    def gone(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(desk.store, "list_groups", gone)
    answer = kim.get("/")
    assert answer.status_code == 503
    assert "Nothing is lost" in answer.text
    assert kim.get("/health").status_code == 200
