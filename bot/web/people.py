"""People and privacy: find somebody, see all that is held on them, erase it; how long things are kept."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from bot.details import read_details
from bot.model import Person
from bot.privacy import erase_person, periods
from bot.review_model import HistoryEntry, Role
from bot.web.desk import desk, who
from bot.web.forms import text_in
from bot.web.guard import needs

blueprint = Blueprint("people", __name__)


@blueprint.get("/people")
@needs(Role.ADMIN)
def search() -> Any:
    """The search, what was erased, and the periods."""
    text = text_in("text", 200, request.args)
    found = desk().store.find_people(text, read_details(text).phone) if text else []
    runs = desk().store.history("retention", "retention", limit=1)
    return render_template(
        "people.html",
        text=text,
        found=found,
        periods=periods(desk().settings),
        run=runs[0] if runs else None,
        erased=[
            entry for entry in desk().store.history(action="erased", limit=20) if entry.subject == "person"
        ],
    )


@blueprint.get("/people/<id:key>")
@needs(Role.ADMIN)
def person(key: str) -> Any:
    """Everything that is held on a person."""
    someone = _someone(key)
    return render_template("person.html", person=someone, held=desk().store.held(someone))


@blueprint.get("/people/<id:key>.json")
@needs(Role.ADMIN)
def download(key: str) -> Any:
    """The same as a file, for the person."""
    held = desk().store.held(_someone(key))
    response = Response(json.dumps(held, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename="everything-held.json")
    return response


@blueprint.post("/people/<id:key>/erase")
@needs(Role.ADMIN)
def erase(key: str) -> Any:
    """Erases a person everywhere."""
    someone = _someone(key)
    if request.form.get("sure") != "yes":
        problem = "Tick the box first: what is erased can't be brought back."
        held = desk().store.held(someone)
        return render_template("person.html", person=someone, held=held, problem=problem), 422
    _, entry = erase_person(desk().store, someone, who(), desk().spool)
    return redirect(url_for("people.receipt", entry_id=entry.id))


@blueprint.get("/people/receipts/<id:entry_id>")
@needs(Role.ADMIN)
def receipt(entry_id: str) -> Any:
    """What was erased, when and by whom: for the person's or the regulator's file."""
    return render_template("receipt.html", entry=_receipt(entry_id))


@blueprint.get("/people/receipts/<id:entry_id>.json")
@needs(Role.ADMIN)
def receipt_file(entry_id: str) -> Any:
    """The receipt as a file."""
    entry = _receipt(entry_id)
    told = {
        "receipt": entry.id,
        "erased_at": entry.at.isoformat(),
        "erased_by": entry.who,
        "person_key": entry.subject_id,
        "rows": dict(entry.data["rows"]),
    }
    response = Response(json.dumps(told, indent=2), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"erasure-{entry.id[:8]}.json")
    return response


def _someone(key: str) -> Person:
    found = desk().store.person_with_key(key)
    if found is None:
        abort(404, "Nothing is held on this person.")
    return found


def _receipt(entry_id: str) -> HistoryEntry:
    entry = desk().store.history_entry(entry_id)
    if entry is None or entry.action != "erased":
        abort(404)
    return entry
