"""The history of what staff did."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from bot.web.desk import desk
from bot.web.forms import page_in

blueprint = Blueprint("history", __name__)

PER_PAGE = 50


@blueprint.get("/history")
def listing() -> Any:
    """Everything, newest first."""
    entries = desk().store.history(limit=PER_PAGE + 1, skip=(page_in() - 1) * PER_PAGE)
    ids = [entry.subject_id for entry in entries if entry.subject == "group"]
    return render_template(
        "history.html",
        entries=entries[:PER_PAGE],
        more=len(entries) > PER_PAGE,
        page=page_in(),
        examples={group.id: group.example for group in desk().store.some_groups(ids)},
        undone=desk().store.undone([entry.id for entry in entries]),
        names={one.id: one.name for one in desk().store.accounts()},
    )
