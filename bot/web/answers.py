"""The answers: all of them, one to edit with its check and preview, its changes and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from bot.answer_check import Problem
from bot.answer_model import CLINICAL, Answer, AnswerStanding, AnswerState
from bot.editor import NEW, Unfinished, is_topic, title_of
from bot.review_model import Conflict, GroupPage, NotThere, ReviewError, Role
from bot.store.answers import undoable_steps
from bot.topics import Topic
from bot.web.desk import account, desk, who
from bot.web.differences import changes
from bot.web.forms import number_in, text_in
from bot.web.guard import needs
from bot.web.preview import on_messenger, on_website
from bot.web.show import told
from bot.wording import MAX_CHARACTERS

blueprint = Blueprint("answers", __name__, url_prefix="/answers")

VIEWS = {
    "all": "All",
    "waits": "To approve",
    "due": "To look at again",
    "unanswered": "No answer yet",
    "withdrawn": "Withdrawn",
}
MOST_WORDINGS = 12


@dataclass(frozen=True)
class Line:
    """One answer in the list."""

    topic: str
    title: str
    text: str
    marks: tuple[str, ...]
    views: tuple[str, ...]
    standing: AnswerStanding | None = None
    from_clinic: bool = False


@blueprint.get("")
@needs(Role.EDITOR)
def listing() -> Any:
    """Every answer, delivered or written here."""
    lines = _lines()
    wanted = text_in("text", 200, request.args).lower()
    view = request.args.get("view", "all")
    view = view if view in VIEWS else "all"
    shown = [line for line in lines if view in line.views]
    shown = [line for line in shown if wanted in f"{line.title} {line.text}".lower()]
    counts = {name: sum(name in line.views for line in lines) for name in VIEWS}
    return render_template(
        "answers.html", lines=shown, views=VIEWS, view=view, counts=counts, wanted=wanted
    )  # fmt: skip


@blueprint.route("/new", methods=["GET", "POST"])
@needs(Role.EDITOR)
def new() -> Any:
    """An answer to what nothing answers yet."""
    return _edit(NEW)


@blueprint.route("/of/<topic:topic>", methods=["GET", "POST"])
@needs(Role.EDITOR)
def answer(topic: str) -> Any:
    """One answer."""
    return _edit(topic)


@blueprint.post("/check")
@needs(Role.EDITOR)
def check() -> Any:
    """What is wrong with what is typed, and how it will look: asked for while somebody types."""
    topic = text_in("topic", 64)
    if topic and not is_topic(topic):
        abort(404)
    draft = _draft(topic)
    return render_template("_answer_check.html", **_checked(draft, _wordings(_group())), swaps=True)


@blueprint.get("/changes/<topic:topic>")
@needs(Role.EDITOR)
def history(topic: str) -> Any:
    """Every revision, each with what it changed."""
    revisions = desk().store.revisions(topic)
    if not revisions:
        raise NotThere("Nobody has changed this answer yet.")
    topics = desk().topics()
    older = [*revisions[1:], desk().editor.delivered(topic)]
    return render_template(
        "answer_changes.html", topic=topic, title=title_of(topic, topics), revisions=revisions,
        changes=[changes(old, now, topics) for now, old in zip(revisions, older, strict=True)],
        standing=desk().store.answer_standing(topic),
    )  # fmt: skip


@blueprint.post("/<any(approve, restore, withdraw, undo, right):action>/<topic:topic>")
@needs(Role.EDITOR)
def act(action: str, topic: str) -> Any:
    """One step with a saved answer; tells when somebody else was faster."""
    editor, before = desk().editor, number_in("before")
    try:
        if action == "approve":
            editor.approve(topic, before, who())
            done = "Approved. It is live on every channel within two seconds."
        elif action == "restore":
            done = _saved(editor.restore(topic, number_in("revision"), before, who()))
        elif action == "withdraw":
            editor.withdraw(topic, before, who())
            done = "Withdrawn. Visitors don’t get it any more."
        elif action == "right":
            editor.still_right(topic, before, who())
            done = "Noted: it is right for another year."
        else:
            editor.undo(topic, before, who(), text_in("entry", 32))
            done = "Taken back."
    except Conflict as conflict:
        return _shown(topic, *editor.start(topic, who()), problem=_faster(conflict)), 409
    except (Unfinished, ReviewError) as reason:
        if isinstance(reason, NotThere):
            raise
        return _shown(topic, *editor.start(topic, who()), problem=str(reason)), 422
    desk().answers.refresh()
    flash(done)
    known = desk().topics().get(topic)
    return redirect(url_for("answers.answer", topic=topic) if known else url_for("answers.listing"))


# ------------------------------------------------------------ the form


def _edit(topic: str) -> Any:
    editor = desk().editor
    if request.method == "GET":
        return _shown(topic, *editor.start(topic, who()))
    draft = _draft(topic)
    group = _group()
    standing = desk().store.answer_standing(topic) if topic else None
    settles = (group.group.id, number_in("group_version")) if group and not topic else None
    try:
        saved = editor.save(draft, number_in("before"), who(), settles, _wordings(group))
    except Conflict as conflict:
        return _shown(topic, draft, standing, problem=_faster(conflict), theirs=standing), 409
    except Unfinished as reason:
        return _shown(topic, draft, standing, problem=str(reason)), 422
    desk().answers.refresh()
    flash(_saved(saved, is_new=not topic))
    return redirect(url_for("answers.answer", topic=saved.topic))


def _shown(
    topic: str, answer: Answer, standing: AnswerStanding | None, problem: str = "",
    theirs: AnswerStanding | None = None,
) -> str:  # fmt: skip
    group = _group()
    wordings = _wordings(group)
    history = desk().store.history(topic, limit=20) if topic else []
    topics = desk().topics()
    known = topics.get(topic) if topic else None
    steps = undoable_steps(history)
    return render_template(
        "answer.html", topic=topic, CLINICAL=CLINICAL, answer=answer, standing=standing, problem=problem,
        before=standing.latest.revision if standing else 0,
        theirs=changes(answer, theirs.latest, topics) if theirs else None,
        known=known, titles=sorted(topics.titles.items(), key=lambda item: item[1].lower()),
        owners=_owners(answer), group=group, wordings=wordings[:MOST_WORDINGS], history=history, told=told,
        undo=steps[0] if steps else None, undone={entry.undoes for entry in history if entry.undoes},
        mine=bool(standing and standing.latest.written_by == account().name),
        review_by=request.form.get("review_by") or (answer.review_by or ""),
        **_checked(answer, wordings, quiet=request.method == "GET" and not answer.text),
    )  # fmt: skip


def _checked(answer: Answer, wordings: Sequence[str], quiet: bool = False) -> dict[str, Any]:
    reply = desk().editor.reply(answer)
    problems: list[Problem] | None = None if quiet else desk().editor.check(answer, wordings)
    return {
        "problems": problems,
        "website": on_website(reply),
        "messenger": on_messenger(reply),
        "length": len(reply.text),
        "longest": MAX_CHARACTERS,
    }


def _draft(topic: str) -> Answer:
    """The answer in the form."""
    steps = [text_in(f"next_{number}", 64) for number in (1, 2, 3)]
    lines = [line.strip(" -\t") for line in text_in("examples", 15_000).splitlines()]
    return Answer(
        topic, text_in("title", 100), text_in("text", 3000), tuple(step for step in steps if step),
        tuple(line for line in lines if line),
        is_answered="not_answered" not in request.form, health="health" in request.form,
        facts_published="facts_published" in request.form, owner=text_in("owner", 100),
        review_by=_day(text_in("review_by", 20)),
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return date.min  # which is refused like any other day that has passed


def _group() -> GroupPage | None:
    """The question for which an answer is written or looked at."""
    group_id = text_in("group", 32, request.values)
    try:
        return desk().store.group_page(group_id) if group_id else None
    except NotThere as reason:  # merged into another one since, or erased
        return desk().store.group_page(reason.args[1]) if len(reason.args) > 1 else None


def _wordings(group: GroupPage | None) -> list[str]:
    """What visitors wrote, each wording once."""
    texts = [question.text for question in group.questions] if group else []
    return list(dict.fromkeys(text for text in texts if text))


def _owners(answer: Answer) -> list[str]:
    names = [one.name for one in desk().store.accounts() if one.active]
    return names if not answer.owner or answer.owner in names else [answer.owner, *names]


def _saved(answer: Answer, is_new: bool = False) -> str:
    if answer.state is AnswerState.DRAFT:
        return "Saved. It goes live when a second person has approved it."
    if is_new:
        return (
            "Saved and live within two seconds: whoever asks in the same words gets it. "
            "Other wordings follow with the next publishing."
        )
    return "Saved. The text is live on every channel within two seconds."


def _faster(conflict: Conflict) -> str:
    if conflict.entry is None:
        return "Somebody else changed this in the meantime. Nothing was overwritten."
    return f"{conflict.entry.who} was faster: {told(conflict.entry)}. Nothing was overwritten."


# ------------------------------------------------------------ the list


def _lines() -> list[Line]:
    standings = {standing.latest.topic: standing for standing in desk().store.answer_standings()}
    topics = desk().topics()
    lines = [_line(topic, standings.pop(topic.intent, None)) for topic in topics.all()]
    for standing in standings.values():  # those that visitors don't get: withdrawn, or not approved yet
        latest = standing.latest
        gone = latest.state is AnswerState.WITHDRAWN
        marks, views = (("Withdrawn",), ("withdrawn",)) if gone else (("To approve",), ("all", "waits"))
        lines.append(Line(latest.topic, latest.title, latest.text, marks, views, standing))
    return sorted(lines, key=lambda line: line.title.lower())


def _line(topic: Topic, standing: AnswerStanding | None) -> Line:
    marks, views = [], ["all"]
    if not topic.is_answered:
        never = topic.intent == CLINICAL
        marks.append("Only a person may answer" if never else "No answer yet")
        views += [] if never else ["unanswered"]
    if standing and standing.live is not None:
        marks.append("Edited" if topic.has_default else "Added")
    if standing and standing.waits:
        marks.append("To approve")
        views.append("waits")
    if standing and standing.due:
        marks.append("Look at it again")
        views.append("due")
    return Line(
        topic.intent, topic.title, topic.text, tuple(marks), tuple(views), standing, topic.from_clinic
    )  # fmt: skip
