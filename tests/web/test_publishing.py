"""The page of publishing, over a real database: what is pending, what was found, the way back; servers' model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer_model import Answer
from bot.model import Button, Link, Reply, new_id
from bot.model_inputs import INPUTS_HEADER
from bot.publishing.gate import key_of
from bot.publishing.runner import sha256
from bot.release_model import (
    Answered,
    Decisions,
    Difference,
    Outcome,
    PublishError,
    PublishRun,
    RehearsedTurn,
    Release,
    Report,
    RunState,
)
from bot.review_model import GroupState, Role, Who
from bot.staff_file import written
from bot.web.desk import Desk
from bot.web.models import token_of
from tests.web.conftest import Staff

KIM = Who("Kim", "k" * 32)
EXAMPLES = ("may I park there", "is there a car park", "where do I leave the car")
WORSE = Difference(
    "does it hurt",
    ("faq/pain",),
    Outcome(Answered.TOPIC, ("faq/pain",)),
    Outcome(Answered.ASKS, ("faq/pain", "faq/parking")),
    worse=True,
)


@pytest.fixture
def release(desk: Desk, tmp_path: Path) -> Callable[..., Release]:
    """Registers a release, whose archive is a few bytes."""

    def make(live: bool = True, **more: object) -> Release:
        archive = tmp_path / "archive"
        archive.write_bytes(new_id().encode() * 10_000)
        made = Release(desk.publishing.inputs, sha256(archive), archive.stat().st_size, id=new_id(), **more)
        if live:
            desk.store.register_release(made, archive, KIM)
        else:
            desk.store.add_release(made, archive)
        return desk.store.a_release(made.id)

    return make


@pytest.fixture
def erin(add_staff: Callable[..., Staff]) -> Staff:
    return add_staff("Erin", Role.EDITOR)


@pytest.fixture
def answer(desk: Desk) -> None:
    """Staff wrote a new topic."""
    text = "Two places behind the house are ours."
    desk.store.save(Answer("faq/parking", "Parking", text, (), EXAMPLES), 0, KIM)
    desk.answers.look()


@pytest.fixture
def refused(desk: Desk, release: Callable[..., Release], answer: None) -> PublishRun:
    """A candidate that answers one question worse."""
    live = release()
    desk.store.start_run(
        run := PublishRun(live.inputs, desk.publishing.pending().decisions, wanted_by="Erin")
    )
    desk.store.take_run("here")
    values = {"release_id": release(live=False, decisions=run.decisions).id, "baseline": live.id}
    desk.store.move_run(run.id, "here", state=RunState.TESTING, seconds={"training": 21.0}, **values)
    report = Report(2, 2, 1, (WORSE,))
    desk.store.end_run(
        run.id, "here", RunState.REFUSED, "1 question is answered worse than now.", report=report
    )
    return desk.store.a_run(run.id)


def test_publishing_is_for_editors(dana: Staff, erin: Staff):
    assert dana.get("/publish").status_code == 403
    assert "/publish" not in dana.get("/").text
    assert erin.get("/publish").status_code == 200


def test_without_a_release_there_is_nothing_to_compare_with(erin: Staff, answer: None):
    page = erin.post("/publish/start", "/publish")
    assert page.status_code == 409
    assert "registered when the assistant starts" in page.text


def test_what_is_pending_is_shown_and_published_once(erin: Staff, desk: Desk, release, answer: None):
    release()
    page = erin.get("/publish").text
    assert "Parking" in page and "new topic" in page and "is there a car park" in page
    assert erin.post("/publish/start", "/publish").status_code == 302
    run = desk.store.active_run()
    assert (run.wanted_by, run.decisions.topics[0].examples) == ("Erin", EXAMPLES)
    page = erin.get("/publish").text
    assert "wanted by Erin" in page and "every 1s" in page
    assert "Waiting" in erin.get("/publish/progress").text
    again = erin.post("/publish/start", "/publish")
    assert again.status_code == 409 and "under way already" in again.text
    erin.post(f"/publish/{run.id}/cancel", "/publish")
    assert "Erin stopped it" in erin.get("/publish").text
    assert erin.get("/publish/progress").headers["HX-Refresh"] == "true"


def test_an_edited_text_needs_no_training(erin: Staff, desk: Desk, release):
    release()
    desk.store.save(Answer("faq/pain", "Does it hurt?", "Hardly."), 0, KIM)
    desk.answers.look()
    assert desk.publishing.pending().changes == ()
    assert "all that was decided is live" in erin.get("/publish").text


def test_a_candidate_that_waits_is_not_published_twice(erin: Staff, desk: Desk, release, answer: None):
    live = release()
    desk.store.start_run(run := PublishRun(live.inputs, desk.publishing.pending().decisions, hold=True))
    desk.store.take_run("here")
    tested = release(live=False, decisions=run.decisions)
    desk.store.move_run(run.id, "here", state=RunState.TESTING, release_id=tested.id, baseline=live.id)
    desk.store.end_run(run.id, "here", RunState.READY, report=Report(2, 2, 2))
    page = erin.get("/publish").text
    assert "tested already" in page and "waits until somebody" in page and "Make it live" in page
    assert "<button>Publish</button>" not in page
    desk.store.save(Answer("faq/pain", "Does it hurt?", "Hardly.", (), ("is it sore at all",)), 0, KIM)
    page = erin.get("/publish").text
    assert "tested already" not in page and "<button>Publish</button>" in page


def test_a_difference_is_shown_side_by_side_and_taken_with_a_reason(
    erin: Staff, desk: Desk, refused: PublishRun
):
    page = erin.get("/publish").text
    for part in ("does it hurt", "worse", "answers: Does it hurt?", "asks which is meant", "Training 21 s"):
        assert part in page
    assert "Make it live" not in page and "Just as it is, it was refused" in page
    path = f"/publish/{refused.id}"
    assert erin.post(f"{path}/live", "/publish").status_code == 409
    assert erin.post(f"{path}/accept", "/publish", key=WORSE.key, why=" ").status_code == 409
    erin.post(f"{path}/accept", "/publish", key=WORSE.key, why="We ask on purpose")
    page = erin.get("/publish").text
    assert "accepted by Erin" in page and "We ask on purpose" in page
    assert erin.post(f"{path}/live", "/publish").status_code == 302
    assert "Release 2 is live" in erin.get("/publish").text
    assert desk.publishing.pending().changes == ()
    history = erin.get("/history").text
    assert "Published release 2" in history and "We ask on purpose" in history


def test_both_have_one_conversation_that_the_page_holds(
    erin: Staff, desk: Desk, refused: PublishRun, monkeypatch: pytest.MonkeyPatch
):
    heard = []

    def talk(live: str, candidate: str, sent: list[str]):
        heard.append((live, candidate, list(sent)))
        steps = (Button("Does it hurt?", "/faq/pain~Does it hurt?~signed"),)
        link = (Link("Call 1300", "tel:1300"),)
        here = [RehearsedTurn(text, (Reply(f"Live <{text}>", steps, link),)) for text in sent]
        there = [RehearsedTurn(text, (Reply(f"Candidate {text}", code="miliagone"),)) for text in sent]
        return here, there

    monkeypatch.setattr(desk.trial, "talk", talk)
    path = f"/publish/{refused.id}/try"
    page = erin.get(path).text
    assert "Nothing said yet" in page and 'class="problem"' not in page
    whole = erin.post(path, path, sent=["hello"], message="and where").text
    assert heard == [(refused.baseline, refused.release_id, ["hello", "and where"])]
    for part in (
        "Live &lt;hello&gt;", "Candidate and where", "Release 1, live", 'href="tel:1300"', "Copy miliagone",
        'name="pressed" value="/faq/pain~Does it hurt?~signed"', 'name="sent" value="and where"',
    ):  # fmt: skip
        assert part in whole
    fields = {
        "csrf_token": erin.token(path),
        "sent": ["hello"],
        "pressed": "/faq/pain~signed",
        "message": "x",
    }
    added = erin.client.post(path, data=fields, headers={"HX-Request": "true"}).text
    assert heard[-1][2] == ["hello", "/faq/pain~signed"]
    assert "Live &lt;hello&gt;" not in added, "what was said before stands on the page"
    assert "<html" not in added and 'hx-swap-oob="true"' in added


def test_what_stops_a_trial_is_told_and_what_was_typed_stays(
    erin: Staff, desk: Desk, refused: PublishRun, dana: Staff, monkeypatch: pytest.MonkeyPatch
):
    def talk(*args: object):
        raise PublishError("That candidate is not kept any more.")

    monkeypatch.setattr(desk.trial, "talk", talk)
    path = f"/publish/{refused.id}/try"
    page = erin.post(path, path, message="where may I park").text
    assert "not kept any more" in page and 'value="where may I park"' in page
    assert "start again" in erin.post(path, path, sent=["x"] * 40, message="y").text
    assert erin.post(path, path, message="x" * 501).status_code == 400
    assert dana.get(path).status_code == 403


def test_a_visitors_words_stand_in_one_place_only(erin: Staff, desk: Desk, release, ask, group_of):
    live = release()
    question = ask("can I bring my ferret called Bandit")
    group = group_of(question)
    desk.review.answered_by(group, desk.store.group_page(group).group.version, KIM, "faq/pain")
    key = key_of(question.text)
    worse = Difference(key, ("faq/pain",), WORSE.live, WORSE.candidate, True, is_golden=False)
    desk.store.start_run(run := PublishRun(live.inputs, Decisions()))
    desk.store.take_run("here")
    desk.store.end_run(run.id, "here", RunState.REFUSED, "worse", report=Report(1, 1, 0, (worse,)))
    assert "Bandit" in erin.get("/publish").text
    desk.store.erase_person(question.person)
    assert "Bandit" not in erin.get("/publish").text
    assert "(erased)" in erin.get("/publish").text


def test_what_is_decided_on_a_visitors_words_is_in_no_model_and_no_export(
    desk: Desk, answer: None, ask, group_of
):
    def standing(question) -> tuple[str, int]:
        group = group_of(question)
        return group, desk.store.group_page(group).group.version

    asked = [
        ask(text, sender=text) for text in ("is Bandit the ferret welcome", "my mole itches", "sell me tents")
    ]
    desk.review.answered_by(*standing(asked[0]), KIM, "faq/pain")
    desk.review.set_state(*standing(asked[1]), KIM, GroupState.CLINICAL)
    desk.review.set_state(*standing(asked[2]), KIM, GroupState.OUT_OF_SCOPE)
    assert {one.text for one in desk.store.resolved_questions()} == {one.text for one in asked}
    told = written(desk.store.answers()) + repr(desk.publishing.pending().decisions)
    assert EXAMPLES[0] in told
    assert [one.text for one in asked if one.text in told] == []


def test_one_click_goes_back(erin: Staff, desk: Desk, release):
    first, _ = release(), release()
    page = erin.get("/publish").text
    assert "Go back to release 1" in page and "Go back to release 2" not in page
    erin.post(f"/publish/releases/{first.id}/back", "/publish")
    assert desk.store.live_release().id == first.id
    assert "Go back to release 2" in erin.get("/publish").text
    assert "Went back from release 2 to release 1" in erin.get("/history").text
    again = erin.post(f"/publish/releases/{first.id}/back", "/publish")
    assert again.status_code == 409 and "live already" in again.text


# What servers fetch


def test_servers_get_the_live_model_once(visitor: Staff, desk: Desk, release):
    made = release()
    shown = {"Authorization": f"Bearer {token_of(desk.settings)}", INPUTS_HEADER: made.inputs}
    first = visitor.get("/models/live", headers=shown)
    assert first.status_code == 200
    assert len(first.data) == made.size
    assert first.headers["ETag"] == made.etag
    again = visitor.get("/models/live", headers={**shown, "If-None-Match": made.etag})
    assert (again.status_code, again.data) == (304, b"")


def test_servers_of_other_files_get_nothing(visitor: Staff, desk: Desk, release):
    release()
    shown = {"Authorization": f"Bearer {token_of(desk.settings)}", INPUTS_HEADER: "o" * 64}
    assert visitor.get("/models/live", headers=shown).status_code == 204


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}])
def test_nobody_else_gets_the_model(visitor: Staff, release, shown: dict[str, str]):
    release()
    assert visitor.get("/models/live", headers=shown).status_code == 404
