"""The queue of questions, one question, and what can be decided about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from bot.channels.messenger.window import Window, reply_window
from bot.model import Reason, UnansweredQuestion, utc_now
from bot.review import WRITABLE
from bot.review_model import OPEN_STATES, Conflict, GroupFilter, GroupState, NotThere, ReviewError
from bot.store.decisions import undoable
from bot.store.messenger_model import CHANNEL as MESSENGER
from bot.web.desk import account, desk, who
from bot.web.forms import ids_in, number_in, page_in, text_in
from bot.web.show import REASONS, told

blueprint = Blueprint("questions", __name__)

PER_PAGE = 25

VIEWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "open": ("To decide", tuple(state.value for state in OPEN_STATES)),
    "answered": ("Answered", (GroupState.ANSWERED.value,)),
    "out_of_scope": ("Out of scope", (GroupState.OUT_OF_SCOPE.value,)),
    "clinical": ("Clinical", (GroupState.CLINICAL.value,)),
    "dismissed": ("Dismissed", (GroupState.DISMISSED.value,)),
}


@blueprint.get("/")
def queue() -> Any:
    """The groups, red flags first, then in the order of people x recency."""
    desk().review.group_new(most=64)
    wanted = _filter()
    skip = (page_in() - 1) * PER_PAGE
    groups = desk().store.list_groups(wanted, PER_PAGE + 1, skip)
    states = desk().store.count_states()
    counts = {name: sum(states.get(state, 0) for state in of_view) for name, (_, of_view) in VIEWS.items()}
    page = {
        "groups": groups[:PER_PAGE],
        "more": len(groups) > PER_PAGE,
        "page": page_in(),
        "views": VIEWS,
        "view": _view(),
        "counts": counts,
        "wanted": wanted,
        "is_narrowed": any(
            (wanted.reason, wanted.channel, wanted.assignee, wanted.text, wanted.needs_answer)
        ),
        "names": {one.id: one.name for one in desk().store.accounts()},
        "due": desk().store.due_answers(),
        "waiting": desk().store.pending_answers(),
    }
    return render_template("_groups.html" if request.headers.get("HX-Request") else "queue.html", **page)


@blueprint.get("/questions/<id:group_id>")
def question(group_id: str) -> Any:
    """One group."""
    try:
        return _page(group_id)
    except NotThere as reason:
        if len(reason.args) > 1:
            flash("This question was merged into this one.")
            return redirect(url_for("questions.question", group_id=reason.args[1]))
        raise


@blueprint.post("/questions/<id:group_id>/<action>")
def act(group_id: str, action: str) -> Any:
    """Does one thing with a group; tells when somebody else was faster."""
    steps = {
        "answered": _answered, "needs-answer": _needs_answer, "clinical": _clinical, "dismiss": _dismiss,
        "out-of-scope": _out_of_scope, "reopen": _reopen, "assign": _assign, "comment": _comment,
        "split": _split, "merge": _merge, "reply": _reply, "undo": _undo,
    }  # fmt: skip
    if action not in steps:
        abort(404)
    version = number_in("version")
    try:
        done = steps[action](group_id, version)
    except Conflict as conflict:
        if conflict.entry is None:
            problem = "Somebody else changed this in the meantime."
        else:
            problem = f"{conflict.entry.who} was faster: {told(conflict.entry)}."
        problem += " Nothing was overwritten; what you see now is how it stands."
        return _page(group_id, problem=problem, conflict=conflict.entry), 409
    except NotThere:
        raise
    except ReviewError as reason:
        return _page(group_id, problem=str(reason)), 422
    flash(done)
    back_to_queue = action in ("answered", "needs-answer", "clinical", "dismiss", "out-of-scope")
    if back_to_queue:
        [decision] = desk().store.history(group_id, limit=1)
        flash(f"{group_id} {version + 1} {decision.id}", "undo")
        return redirect(url_for("questions.queue"))
    return redirect(url_for("questions.question", group_id=group_id))


def _page(group_id: str, **more: Any) -> str:
    page = desk().store.group_page(group_id)
    replies = [entry.data["reply"] for entry in page.history if entry.action == "replied"]
    undoables = undoable(page.history)
    windows = _windows(page.questions)
    return render_template(
        "question.html",
        page=page,
        group=page.group,
        nearest=desk().review.nearest_topics(page.group),
        related=desk().review.related(page.group),
        topics=desk().topics(),
        accounts=[one for one in desk().store.accounts() if one.active],
        names={one.id: one.name for one in desk().store.accounts()},
        undo=undoables[0] if undoables else None,
        undone={entry.undoes for entry in page.history if entry.undoes},
        replies=desk().store.reply_states(replies),
        problems=desk().store.reply_problems(replies),
        windows=windows,
        in_need=_in_need(page.questions, windows),
        draft=request.form,
        **more,
    )


def _windows(questions: Sequence[UnansweredQuestion]) -> dict[str, Window]:
    """By conversation on Messenger: until when its person may be written to."""
    there = [q.person.sender_id for q in questions if q.person.channel == MESSENGER]
    threads = desk().store.messenger_threads(there)
    tagged = bool(desk().settings.messenger_human_agent)
    return {who: reply_window(threads.get(who), utc_now(), tagged) for who in there}


def _in_need(questions: Sequence[UnansweredQuestion], windows: Mapping[str, Window]) -> str:
    """The latest red flag whose person can be written to; empty when there is none."""
    for one in questions:
        window = windows.get(one.person.sender_id)
        can_be_written_to = one.person.channel in WRITABLE and not (window and window.problem)
        if one.reason is Reason.RED_FLAG and can_be_written_to:
            return one.id
    return ""


def _view() -> str:
    view = request.args.get("view", "open")
    return view if view in VIEWS else "open"


def _filter() -> GroupFilter:
    reason = request.args.get("reason", "")
    return GroupFilter(
        states=VIEWS[_view()][1],
        reason=reason if reason in REASONS else "",
        channel=text_in("channel", 40, request.args),
        assignee=account().id if request.args.get("mine") else "",
        text=text_in("text", 200, request.args),
        needs_answer=bool(request.args.get("needs_answer")),
    )


# ------------------------------------------------------------ actions: each says what it did


def _answered(group_id: str, version: int) -> str:
    topic = text_in("other_topic") or text_in("topic")
    desk().review.answered_by(group_id, version, who(), topic)
    return f"Answered by “{desk().topics().title(topic)}”."


def _needs_answer(group_id: str, version: int) -> str:
    desk().review.needs_answer(group_id, version, who())
    return "Marked: it needs a new answer."


def _clinical(group_id: str, version: int) -> str:
    desk().review.set_state(group_id, version, who(), GroupState.CLINICAL)
    return "Marked as clinical: the assistant never answers it."


def _out_of_scope(group_id: str, version: int) -> str:
    desk().review.set_state(group_id, version, who(), GroupState.OUT_OF_SCOPE)
    return "Marked as out of scope."


def _reopen(group_id: str, version: int) -> str:
    desk().review.set_state(group_id, version, who(), GroupState.NEW)
    return "Open again."


def _dismiss(group_id: str, version: int) -> str:
    desk().review.dismiss(group_id, version, who(), text_in("reason", 20))
    return "Dismissed. It comes back when many more people ask."


def _assign(group_id: str, version: int) -> str:
    desk().review.assign(group_id, version, who(), text_in("to", 32))
    return "Noted who looks at it."


def _comment(group_id: str, version: int) -> str:
    desk().review.comment(group_id, who(), text_in("comment", 2000))
    return "Comment added."


def _split(group_id: str, version: int) -> str:
    new = desk().review.split(group_id, version, who(), ids_in("question"))
    flash(new, "split")
    return "Split into two questions."


def _merge(group_id: str, version: int) -> str:
    desk().review.merge(group_id, version, who(), text_in("source", 32))
    return "Merged."


def _reply(group_id: str, version: int) -> str:
    asked = desk().review.reply(group_id, version, who(), text_in("question", 32), text_in("reply", 10_000))
    if asked.person.channel == "website":
        return "Your reply is on its way: they see it now, or when they come back to the chat."
    return "Your reply is on its way."


def _undo(group_id: str, version: int) -> str:
    desk().review.undo(group_id, version, who(), text_in("entry", 32))
    return "Taken back."
