"""The clinic's details, live at once on every channel."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from bot.clinic import FactError, load_clinic
from bot.clinic_source import EDITABLE, editable_values, with_overrides
from bot.review_model import Conflict, ReviewError, Role
from bot.store.clinic import CLINIC
from bot.web.desk import desk, who
from bot.web.forms import text_in
from bot.web.guard import needs
from bot.web.show import FACTS, told

blueprint = Blueprint("clinic", __name__)

_DAYS = ("offer.starts", "offer.ends")


@blueprint.route("/clinic", methods=["GET", "POST"])
@needs(Role.ADMIN)
def details() -> Any:
    """Shows and changes them."""
    overrides = desk().store.clinic_overrides()
    basis = editable_values(load_clinic(desk().settings.clinic_file))
    if request.method == "GET":
        return _page({**basis, **overrides}, basis)
    values = {name: text_in(name, 1000) for name in EDITABLE}
    seen = {name: text_in(f"was:{name}", 1000) for name in EDITABLE}
    if seen != {**basis, **overrides}:
        return _page(
            values, basis, problem="Somebody else changed the details while you did. Look at both, then save."
        ), 409
    try:
        with_overrides(load_clinic(desk().settings.clinic_file), values)
    except FactError as wrong:
        problem = f"Nothing was saved: “{FACTS[wrong.fact][0]}” {wrong.says}"
        return _page(values, basis, problem, wrong), 422
    after = {name: value for name, value in values.items() if value != basis[name]}
    if after != overrides:
        try:
            desk().store.override_clinic(overrides, after, who())
        except Conflict as conflict:
            problem = (
                f"{conflict.entry.who} changed the details just now."
                if conflict.entry
                else "Somebody was faster."
            )
            return _page(values, basis, problem=problem), 409
        desk().clinic.refresh()
        flash("Saved. It is live on every channel within two seconds.")
    return redirect(url_for("clinic.details"))


@blueprint.post("/clinic/undo")
@needs(Role.ADMIN)
def undo() -> Any:
    """Takes the latest change back."""
    history = desk().store.history(CLINIC, limit=100)
    undone = {entry.undoes for entry in history}
    last = next((e for e in history if e.action == "changed" and e.id not in undone), None)
    if last is None or last.id != text_in("entry", 32):
        raise ReviewError("That change was taken back already, or there is a newer one.")
    desk().store.override_clinic(last.data["after"], last.data["before"], who(), undoes=last.id)
    desk().clinic.refresh()
    flash("Taken back.")
    return redirect(url_for("clinic.details"))


def _page(
    values: dict[str, str], basis: dict[str, str], problem: str = "", wrong: FactError | None = None
) -> str:
    history = desk().store.history(CLINIC, limit=20)
    undone = {entry.undoes for entry in history}
    stands = {**basis, **desk().store.clinic_overrides()}
    return render_template(
        "clinic.html", facts=FACTS, days=_DAYS, values=values, stands=stands, basis=basis, problem=problem,
        wrong=wrong, history=history, told=told, clinic=desk().clinic.clinic,
        undo=next((e for e in history if e.action == "changed" and e.id not in undone), None),
    )  # fmt: skip
