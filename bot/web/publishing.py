"""Publishing: what is pending, a run's progress, what its tests found, the trial, and former releases."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from bot.release_model import PublishError, PublishRun, RunState
from bot.review_model import NotThere, Role
from bot.web.desk import desk, who
from bot.web.forms import text_in, texts_in
from bot.web.guard import needs

blueprint = Blueprint("publishing", __name__, url_prefix="/publish")

STEPS = {
    RunState.QUEUED: "Waiting",
    RunState.VALIDATING: "Checking",
    RunState.TRAINING: "Training",
    RunState.TESTING: "Testing",
}
ENDS = {
    RunState.LIVE: "Live",
    RunState.READY: "Tested",
    RunState.REFUSED: "Refused",
    RunState.FAILED: "Failed",
}
SHOWN_RUNS = 8
LONGEST_MESSAGE = 500
MOST_MESSAGES = 40


@blueprint.get("")
@needs(Role.EDITOR)
def page() -> Any:
    """Everything about publishing."""
    return _page()


@blueprint.get("/progress")
@needs(Role.EDITOR)
def progress() -> Any:
    """How far the run has come, asked for every second; the whole page once it has ended."""
    run = desk().store.active_run()
    if run is None:
        return Response(status=200, headers={"HX-Refresh": "true"})
    return render_template("_progress.html", run=run, steps=STEPS)


@blueprint.post("/start")
@needs(Role.EDITOR)
def start() -> Any:
    """Trains and tests what is pending."""
    return _done(lambda: desk().publishing.start(who(), hold=bool(request.form.get("hold"))), "")


@blueprint.post("/<id:run_id>/cancel")
@needs(Role.EDITOR)
def cancel(run_id: str) -> Any:
    """Stops a run."""
    return _done(lambda: desk().publishing.cancel(run_id, who()), "Stopped. Nothing has changed.")


@blueprint.post("/<id:run_id>/accept")
@needs(Role.EDITOR)
def accept(run_id: str) -> Any:
    """Takes a difference although it is worse."""
    key, why = text_in("key", 2000), text_in("why", 500)
    return _done(
        lambda: desk().publishing.accept(run_id, key, who(), why), "Noted: this difference is right."
    )


@blueprint.post("/<id:run_id>/live")
@needs(Role.EDITOR)
def live(run_id: str) -> Any:
    """Makes a tested candidate live."""
    return _done(lambda: desk().publishing.publish(run_id, who()), "Live on every server within seconds.")


@blueprint.post("/releases/<id:release_id>/back")
@needs(Role.EDITOR)
def back(release_id: str) -> Any:
    """Goes back to a former release."""
    return _done(
        lambda: desk().publishing.roll_back(release_id, who()),
        "The former release is live again, on every server within seconds.",
    )


@blueprint.route("/<id:run_id>/try", methods=["GET", "POST"])
@needs(Role.EDITOR)
def trial(run_id: str) -> Any:
    """One conversation with the live release and the candidate. The page holds it; nothing is stored."""
    run, live = desk().store.a_run(run_id), desk().store.live_release(desk().publishing.inputs)
    if run.release_id is None or live is None:
        raise NotThere("There is no candidate to try.")
    sent = texts_in("sent", LONGEST_MESSAGE)
    said = text_in("pressed", LONGEST_MESSAGE) or text_in("message", LONGEST_MESSAGE)
    page = {"run": run, "live": live, "longest": LONGEST_MESSAGE}
    turns: list[Any] = []
    try:
        if said and len(sent) == MOST_MESSAGES:
            raise PublishError("That is a long conversation: start again.")
        if said:
            sent.append(said)
            turns = list(zip(sent, *desk().trial.talk(live.id, run.release_id, sent), strict=True))
    except PublishError as reason:
        page["trouble"] = str(reason)
    if request.headers.get("HX-Request"):  # what was said before is on the page
        return render_template("_turns.html", turns=turns[-1:], swaps=True, **page)
    return render_template("trial.html", turns=turns, **page)


def _done(action: Any, said: str) -> Any:
    try:
        action()
    except PublishError as reason:
        return _page(problem=str(reason)), 409
    if said:
        flash(said)
    return redirect(url_for("publishing.page"))


def _page(**more: Any) -> str:
    runs = desk().store.list_runs(SHOWN_RUNS)
    last, pending = (runs[0] if runs else None), desk().publishing.pending()
    return render_template(
        "publish.html",
        pending=pending,
        tried=last is not None and last.decisions == pending.decisions,
        run=last if last and last.is_active else None,
        tested=last if last and not last.is_active else None,
        wordings=_wordings(last),
        runs=runs,
        releases=desk().store.list_releases(),
        steps=STEPS,
        step_names={state.value: name for state, name in STEPS.items()},
        ends=ENDS,
        **more,
    )


def _wordings(run: PublishRun | None) -> Any:
    return desk().publishing.wordings(run.report) if run and run.report else {}
