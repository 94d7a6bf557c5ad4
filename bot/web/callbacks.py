"""People who asked to be called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from bot.details import shown_phone
from bot.model import utc_now
from bot.review_model import TO_CALL, Callback, Conflict, ReviewError
from bot.web.csv_file import csv_file
from bot.web.desk import desk, who
from bot.web.forms import number_in
from bot.web.show import CALLBACK_STATES, channels_name, told, when

blueprint = Blueprint("callbacks", __name__)

_SAID = {
    "take": "It is yours now.",
    "no_answer": "Noted: nobody answered.",
    "done": "Done.",
    "release": "Open for anybody again.",
}


@blueprint.get("/callbacks")
def listing() -> Any:
    """Who waits for a call, the longest first; or everybody."""
    return _page()


def _page(**more: Any) -> str:
    everything = request.args.get("show") == "all"
    callbacks = desk().store.callback_list(() if everything else TO_CALL)
    if everything:
        callbacks = callbacks[::-1]
    overdue = {one.request.id for one in callbacks if is_overdue(one)}
    return render_template(
        "callbacks.html", callbacks=callbacks, overdue=overdue, everything=everything, **more
    )


@blueprint.post("/callbacks/<id:callback_id>/<action>")
def move(callback_id: str, action: str) -> Any:
    """Takes a request, finishes it, or takes the latest step back."""
    if action not in _SAID and action != "undo":
        abort(404)
    version = number_in("version")
    try:
        if action == "undo":
            desk().review.undo_callback(callback_id, version, who())
            flash("Taken back.")
        else:
            desk().review.move_callback(callback_id, version, who(), action)
            flash(_SAID[action])
            flash(f"{callback_id} {version + 1}", "undo_callback")
    except Conflict as conflict:
        who_was = (
            f"{conflict.entry.who} was faster: {told(conflict.entry)}."
            if conflict.entry
            else "Somebody was faster."
        )
        return _page(problem=f"{who_was} Nothing was overwritten."), 409
    except ReviewError as reason:
        return _page(problem=str(reason)), 422
    return redirect(url_for("callbacks.listing"))


@blueprint.get("/callbacks.csv")
def download() -> Any:
    """The list as a file."""
    header = [
        "Reference",
        "Requested",
        "Name",
        "Phone",
        "When",
        "Channel",
        "Agreed",
        "State",
        "By",
        "Calls made",
    ]
    rows = (
        [
            one.request.reference,
            when(one.request.requested_at),
            one.request.name,
            shown_phone(one.request.phone),
            one.request.when,
            channels_name(one.request.person.channel),
            when(one.request.consent_at),
            CALLBACK_STATES[one.state.value],
            one.taken_by,
            one.attempts,
        ]
        for one in desk().store.callback_list(limit=100_000)
    )
    return csv_file("call-backs.csv", header, rows)


def is_overdue(one: Callback) -> bool:
    """Whether somebody waits longer than the clinic lets people wait."""
    late = utc_now() - one.request.requested_at > timedelta(hours=desk().settings.callback_hours)
    return late and one.state in TO_CALL
