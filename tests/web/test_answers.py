"""Writing answers: checked while typed, previewed, live at once, never overwritten, taken back, approved by two."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bot.answer_model import Answer, AnswerState
from bot.model import UnansweredQuestion
from bot.review_model import GroupState, Role, Who
from bot.settings import Settings, load_settings
from bot.web.desk import Desk
from tests.conftest import environment
from tests.web.conftest import Staff

Ask = Callable[..., UnansweredQuestion]
GroupOf = Callable[[UnansweredQuestion], str]
AddStaff = Callable[..., Staff]

PARKING = {
    "title": "Parking",
    "text": "Park behind {clinic}; the first hour is free.",
    "next_1": "ask_location",
    "next_2": "book_appointment",
    "examples": "where can I leave my car\n- is there a car park\n\ncan I park nearby",
    "owner": "Kim",
}
NEW, PAIN = "/answers/new", "/answers/of/faq/pain"


@pytest.fixture
def lee(add_staff: AddStaff) -> Staff:
    return add_staff("Lee", Role.EDITOR)


def save(staff: Staff, page: str = NEW, **fields: Any) -> Any:
    """Sends the form of a page with these fields in the place of what it holds."""
    shown = staff.get(page).text
    held = {"before": re.search(r'name="before" value="(\d+)"', shown)[1]}
    if hidden := re.search(r'name="group_version" value="(\d+)"', shown):
        held["group_version"] = hidden[1]
        held["group"] = re.search(r'name="group" value="(\w+)"', shown)[1]
    return staff.post(page.partition("?")[0], page, **{**held, **fields})


def held(staff: Staff, page: str) -> dict[str, str]:
    """What the form of a page holds."""
    shown = staff.get(page).text
    values = {
        name: unescape(re.search(rf'<textarea[^>]*name="{name}"[^>]*>([^<]*)<', shown)[1])
        for name in ("text", "examples")
    }
    values["title"] = unescape(re.search(r'name="title" value="([^"]*)"', shown)[1])
    for number in (1, 2, 3):
        select = re.search(rf'name="next_{number}">(.*?)</select>', shown, re.DOTALL)[1]
        chosen = re.search(r'value="([^"]+)" selected', select)
        values[f"next_{number}"] = chosen[1] if chosen else ""
    return values


def act(staff: Staff, topic: str, action: str, **fields: Any) -> Any:
    page = f"/answers/of/{topic}"
    before = re.search(r'name="before" value="(\d+)"', staff.get(page).text)[1]
    return staff.post(f"/answers/{action}/{topic}", page, **{"before": before, **fields})


def told(page: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def written(desk: Desk) -> dict[str, Answer]:
    return {answer.topic: answer for answer in desk.store.answers()}


def test_editors_write_answers_and_reviewers_dont(dana: Staff, lee: Staff) -> None:
    for path in ("/answers", NEW, PAIN, "/answers/changes/faq/pain"):
        assert dana.get(path).status_code == 403
    assert dana.post("/answers/check", title="x").status_code == 403
    assert lee.get("/answers").status_code == 200
    assert 'href="/answers"' not in dana.get("/").text


def test_all_answers_are_listed_with_their_state(lee: Staff, desk: Desk) -> None:
    save(lee, **PARKING)
    page = told(lee.get("/answers"))
    for expected in (
        "Does it hurt?",
        "Parking Park behind Skin Matrix",
        "Added",
        "Kept right by Kim".lower(),
    ):
        assert expected.lower() in page.lower()
    assert "Prices" in told(lee.get("/answers?view=unanswered"))
    assert "Does it hurt?" not in told(lee.get("/answers?view=unanswered"))
    assert "Parking" in told(lee.get("/answers?text=first+hour"))
    assert "Nothing matches." in told(lee.get("/answers?text=xyzzy"))
    assert "Filled in from the clinic’s details" in told(lee.get("/answers?text=opening"))


def test_what_only_a_person_may_answer_says_so(lee: Staff) -> None:
    page = told(lee.get("/answers/of/ask_medical"))
    assert "Only a person may answer" in page and "has published none" not in page
    assert "has published none" in told(lee.get("/answers/of/ask_price"))


def test_a_new_answer_is_not_judged_before_anything_is_typed(lee: Staff) -> None:
    blank = told(lee.get(NEW))
    assert "0 of 450 characters" in blank
    assert "Nothing is against the rules" not in blank and "Has to change" not in blank
    assert "Nothing is against the rules" in told(lee.get(PAIN))


def test_a_button_is_called_what_it_was_called_before_an_edit(lee: Staff, desk: Desk) -> None:
    assert "Book an appointment" in lee.get(PAIN).text.partition('id="preview"')[2]
    save(lee, PAIN, **{**held(lee, PAIN), "text": "Hardly.", "next_2": "contact_human"})
    steps = [step.title for step in desk.editor.reply(written(desk)["faq/pain"]).next_steps]
    assert steps == ["What happens?", "Talk to a person", "Book an appointment"]


def test_the_first_revision_is_compared_with_the_delivered_answer(lee: Staff) -> None:
    save(lee, PAIN, **{**held(lee, PAIN), "text": "Hardly.", "health": "1"})
    changes = lee.get("/answers/changes/faq/pain").text
    assert re.findall("<h3>(.*?)</h3>", changes) == ["Text"]
    assert "<ins>Hardly.</ins>" in changes


def test_a_new_answer_is_live_and_can_be_chosen(lee: Staff, desk: Desk) -> None:
    assert save(lee, **PARKING).status_code == 302
    answer = written(desk)["faq/parking"]
    assert answer.text == PARKING["text"]
    assert answer.next_steps == ("ask_location", "book_appointment")
    assert answer.examples == ("where can I leave my car", "is there a car park", "can I park nearby")
    assert (answer.written_by, answer.approved_by, answer.owner) == ("Lee", "Lee", "Kim")
    assert "faq/parking" in desk.topics()
    assert desk.topics().get("faq/parking").text == "Park behind Skin Matrix; the first hour is free."


def test_two_answers_never_share_a_topic(lee: Staff, desk: Desk) -> None:
    save(lee, **PARKING)
    other = {**PARKING, "title": "Parking!", "examples": "one way\nanother way\nthird way"}
    assert save(lee, **other).status_code == 302
    assert list(written(desk)) == ["faq/parking", "faq/parking_2"]


def test_a_delivered_text_is_edited_and_brought_back(lee: Staff, desk: Desk) -> None:
    delivered = held(lee, PAIN)
    assert delivered["title"] == "Does it hurt?"
    assert delivered["next_1"] == "faq/procedure"
    assert save(lee, PAIN, **{**delivered, "text": "Hardly: you may feel the odd prick."}).status_code == 302
    assert desk.topics().get("faq/pain").text == "Hardly: you may feel the odd prick."
    assert act(lee, "faq/pain", "withdraw").status_code == 302
    assert held(lee, PAIN) == delivered
    assert desk.topics().get("faq/pain").text == delivered["text"]
    history = desk.store.history("faq/pain")
    act(lee, "faq/pain", "undo", entry=history[0].id)
    assert desk.topics().get("faq/pain").text == "Hardly: you may feel the odd prick."


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"text": "We guarantee a place."}, "Has to change: No promises."),
        ({"text": "It costs $5."}, "Only what the clinic has published"),
        ({"text": "word " * 100}, "At most 450 characters"),
        ({"text": "Ask {doctor}."}, "“{doctor}” can’t be filled in"),
        ({"title": ""}, "It needs a name"),
        ({"title": "Parking behind the clinic"}, "Messenger shows 20 characters"),
        ({"title": "does it hurt?"}, "Another answer is called “Does it hurt?” already"),
        ({"next_1": "faq/nowhere"}, "lead somewhere else"),
        ({"next_2": "ask_location"}, "lead somewhere else"),
        ({"examples": "only one"}, "Write at least 3 ways"),
        ({"examples": "same thing\nSame thing?\nother thing"}, "stands there twice"),
        ({"examples": "does it hurt\none\ntwo"}, "is an example of “Does it hurt?” already"),
        ({"examples": "call me on 0412 345 678\none way\ntwo ways"}, "seems to hold somebody’s details"),
        ({"examples": "???\none\ntwo"}, "is no question"),
        ({"review_by": "2020-01-01"}, "a day that is still to come"),
        ({"review_by": "soon"}, "a day that is still to come"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_saved(
    lee: Staff, desk: Desk, changes: dict[str, str], says: str
) -> None:
    page = save(lee, **{**PARKING, **changes})
    assert page.status_code == 422
    assert says in told(page)
    assert desk.store.answer_standings() == []
    for name, value in changes.items():
        if name in ("title", "review_by"):
            assert f'value="{value}"' in page.text, "what was typed is still there"


def test_the_check_while_typing_names_the_rules_and_shows_both_channels(lee: Staff, desk: Desk) -> None:
    fields = {**PARKING, "topic": "", "text": "The best moisturizer. Call {phone}."}
    page = lee.post("/answers/check", NEW, **fields)
    assert page.status_code == 200
    read = told(page)
    assert "Has to change: No promises." in read
    assert "Consider: Plain, Australian and short." in read
    assert read.count("The best moisturizer. Call 1300 455 792.") == 2
    assert 'id="preview" hx-swap-oob="true"' in page.text
    assert desk.store.answer_standings() == []


def test_messenger_s_own_limits_are_shown(lee: Staff) -> None:
    steps = {"next_1": "ask_price", "next_2": "ask_location", "next_3": "book_appointment"}
    fields = {**PARKING, **steps, "text": "Call {phone}."}
    page = lee.post("/answers/check", NEW, **fields).text
    messenger = page.partition("On Messenger")[2]
    assert re.findall(r'class="in-bubble">([^<]+)', messenger) == ["Call 1300 455 792"]
    assert re.findall(r"<span>([^<]+)</span>", messenger) == ["Prices", "Where you are", "Book or change"]


def test_a_price_that_the_clinic_has_published_may_be_said(lee: Staff, desk: Desk) -> None:
    fields = {**held(lee, "/answers/of/ask_price"), "text": "A visit costs $90."}
    assert save(lee, "/answers/of/ask_price", **fields).status_code == 422
    assert save(lee, "/answers/of/ask_price", **fields, facts_published="1").status_code == 302
    assert "ask_price" in desk.topics(), "it is an answer now"


def test_a_text_that_says_there_is_no_answer_stays_one(lee: Staff, desk: Desk) -> None:
    fields = {**held(lee, "/answers/of/ask_price"), "text": "Prices depend on the visit: call {phone}."}
    assert 'name="not_answered" value="1" checked' in lee.get("/answers/of/ask_price").text
    save(lee, "/answers/of/ask_price", **fields, not_answered="1")
    assert written(desk)["ask_price"].text.startswith("Prices depend")
    assert "ask_price" not in desk.topics()


def test_who_was_slower_is_told_and_keeps_their_text(lee: Staff, kim: Staff, desk: Desk) -> None:
    save(lee, **PARKING)
    page = "/answers/of/faq/parking"
    fields = {**held(lee, page), "before": "1"}
    assert save(kim, page, **{**fields, "text": "Kim’s text."}).status_code == 302
    late = save(lee, page, **{**fields, "text": "Lee’s text."})
    assert late.status_code == 409
    read = told(late)
    assert "Kim was faster: Changed the answer. Nothing was overwritten." in read
    assert "Kim’s text." in read and "Lee’s text." in read
    assert written(desk)["faq/parking"].text == "Kim’s text."
    assert 'name="before" value="2"' in late.text, "saving once more is their decision"


def test_every_revision_is_shown_and_can_stand_again(lee: Staff, desk: Desk) -> None:
    save(lee, **PARKING)
    page = "/answers/of/faq/parking"
    save(lee, page, **{**held(lee, page), "text": "Park in the street."})
    changes = lee.get("/answers/changes/faq/parking").text
    assert re.search(r"<del>[^<]*behind", changes) and re.search(r"<ins>[^<]*street", changes)
    assert act(lee, "faq/parking", "restore", revision="1").status_code == 302
    assert written(desk)["faq/parking"].text == PARKING["text"]
    assert len(desk.store.revisions("faq/parking")) == 3
    assert "Restored an earlier text" in told(lee.get("/history"))
    assert act(lee, "faq/parking", "restore", revision="9").status_code == 404


def test_saving_nothing_new_adds_no_revision(lee: Staff, desk: Desk) -> None:
    save(lee, **PARKING)
    page = "/answers/of/faq/parking"
    save(lee, page, **{**held(lee, page), "owner": "Kim"})
    assert len(desk.store.revisions("faq/parking")) == 1


def test_a_step_is_taken_back_once(lee: Staff, desk: Desk) -> None:
    save(lee, **PARKING)
    entry = desk.store.history("faq/parking")[0]
    done = act(lee, "faq/parking", "undo", entry=entry.id)
    assert done.status_code == 302
    assert written(desk) == {}
    again = lee.post(
        "/answers/undo/faq/parking", "/answers/of/faq/parking", before="2", entry=entry.id
    )  # fmt: skip
    assert again.status_code == 409
    assert "Withdrawn" in told(lee.get("/answers?view=withdrawn"))


def test_an_answer_for_a_question_settles_it(lee: Staff, desk: Desk, ask: Ask, group_of: GroupOf) -> None:
    question = ask("is there a place to park the car?")
    group = group_of(question)
    assert f"/answers/new?group={group}" in lee.get(f"/questions/{group}").text
    page = f"{NEW}?group={group}"
    assert "is there a place to park the car?" in lee.get(page).text
    verbatim = save(lee, page, **{**PARKING, "examples": "Is there a place to park the car\none\ntwo"})
    assert "word for word what a visitor wrote" in told(verbatim)
    assert save(lee, page, **PARKING).status_code == 302
    settled = desk.store.group_page(group)
    assert (settled.group.state, settled.group.topic) == (GroupState.ANSWERED, "faq/parking")
    assert desk.answers.resolved("IS there a place to park the car") == "faq/parking"
    assert "See its answer" in lee.get(f"/questions/{group}").text
    act(lee, "faq/parking", "withdraw")
    assert desk.store.group_page(group).group.state is GroupState.NEW
    assert "its answer was withdrawn" in told(lee.get(f"/questions/{group}"))
    assert desk.answers.resolved("is there a place to park the car") is None


def test_a_question_that_was_settled_meanwhile_is_not_answered_twice(
    lee: Staff, dana: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    group = group_of(ask("is there a place to park the car?"))
    page = f"{NEW}?group={group}"
    version = desk.store.group_page(group).group.version
    dana.post(f"/questions/{group}/out-of-scope", version=version)
    late = save(lee, page, **{**PARKING, "group_version": str(version)})
    assert late.status_code == 409
    assert "Dana was faster: Out of scope." in told(late)
    assert PARKING["title"] in late.text
    assert desk.store.answer_standings() == []


def test_an_answer_for_a_question_that_was_merged_meanwhile(
    lee: Staff, kim: Staff, desk: Desk, ask: Ask, group_of: GroupOf
) -> None:
    cars, boats = (
        group_of(ask("where do I leave the car?")),
        group_of(ask("is there a berth for my boat", "v2")),
    )
    page = f"{NEW}?group={boats}"
    version = desk.store.group_page(cars).group.version
    shown = lee.get(page).text
    assert kim.post(f"/questions/{cars}/merge", version=version, source=boats).status_code == 302
    seen = re.search(r'name="group_version" value="(\d+)"', shown)[1]
    late = lee.post(NEW, page, **PARKING, before="0", group=boats, group_version=seen)
    assert late.status_code == 409
    assert "Kim was faster" in told(late)
    assert PARKING["text"] in unescape(late.text)
    done = save(lee, page, **PARKING)
    assert done.status_code == 302
    assert desk.store.group_page(cars).group.topic == "faq/parking"


def test_signed_out_while_typing_the_text_stays(lee: Staff, app: Flask) -> None:
    token = lee.token(NEW)
    lee.post("/sign-out")
    answer = lee.client.post("/answers/check", data={"csrf_token": token}, headers={"HX-Request": "true"})
    assert answer.status_code in (400, 401), "no sign-in page in the middle of the form"


def test_an_outdated_answer_is_in_the_queue_until_somebody_looked(
    lee: Staff, dana: Staff, desk: Desk
) -> None:
    passed = Answer("faq/parking", "Parking", "Behind it.", ("ask_price",), ("a b", "c d", "e f"))
    desk.store.save(replace(passed, review_by=date(2026, 1, 31)), 0, Who("Kim"))
    desk.store.mark_due(desk.today())
    assert "Is “Parking” still right? The day to look at it again was 31 Jan 2026" in told(dana.get("/"))
    assert "Look at “Parking”" not in told(dana.get("/")), "who may not edit isn’t sent there"
    assert act(lee, "faq/parking", "right").status_code == 302
    assert "still right?" not in told(dana.get("/"))
    assert written(desk)["faq/parking"].review_by == desk.today() + timedelta(days=365)


class TestTwoPeople:
    """With a second person's approval for what is about health."""

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        variables = environment(data_dir=tmp_path, health_approval="yes")
        return load_settings(variables, env_file=tmp_path / "none")

    def test_what_is_about_health_waits(self, lee: Staff, kim: Staff, desk: Desk) -> None:
        page = save(lee, PAIN, **{**held(lee, PAIN), "text": "You may feel the odd prick."}, health="1")
        assert page.status_code == 302
        assert written(desk) == {}
        assert "somebody else has to approve it" in told(lee.get(PAIN))
        assert act(lee, "faq/pain", "approve").status_code == 422
        assert "“Does it hurt?” waits for a second person. Lee changed it." in told(kim.get("/"))
        assert act(kim, "faq/pain", "approve").status_code == 302
        live = written(desk)["faq/pain"]
        assert (live.written_by, live.approved_by, live.state) == ("Lee", "Kim", AnswerState.APPROVED)

    def test_taking_the_tick_away_is_approved_as_well(self, lee: Staff, kim: Staff, desk: Desk) -> None:
        save(lee, PAIN, **{**held(lee, PAIN), "text": "You may feel the odd prick."}, health="1")
        act(kim, "faq/pain", "approve")
        save(lee, PAIN, **{**held(lee, PAIN), "text": "No pain."})
        assert written(desk)["faq/pain"].text == "You may feel the odd prick."
        entry = desk.store.history("faq/pain")[0]
        act(lee, "faq/pain", "undo", entry=entry.id)
        assert desk.store.pending_answers() == []
        assert written(desk)["faq/pain"].text == "You may feel the odd prick."

    def test_who_keeps_it_right_and_until_when_needs_nobody_else(
        self, lee: Staff, kim: Staff, desk: Desk
    ) -> None:
        save(lee, PAIN, **{**held(lee, PAIN), "text": "You may feel the odd prick."}, health="1")
        act(kim, "faq/pain", "approve")
        assert act(lee, "faq/pain", "right").status_code == 302
        assert desk.store.pending_answers() == []
        assert written(desk)["faq/pain"].review_by is not None

    def test_what_is_not_about_health_is_live_at_once(self, lee: Staff, desk: Desk) -> None:
        save(lee, **PARKING)
        assert list(written(desk)) == ["faq/parking"]
