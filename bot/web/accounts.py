"""Accounts of staff."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from bot.passwords import add_account, reset_password
from bot.review_model import Account, ReviewError, Role
from bot.web.desk import account, desk, who
from bot.web.forms import text_in
from bot.web.guard import needs

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/accounts")
@needs(Role.ADMIN)
def listing() -> Any:
    """Everybody who may sign in, or might."""
    return _page()


@blueprint.post("/accounts")
@needs(Role.ADMIN)
def add() -> Any:
    """Adds an account and shows its one-time password, this once."""
    name, role = text_in("name", 60), _role()
    if not re.fullmatch(r"[\w][\w .'’@-]{1,59}", name):
        return _page(problem="A name has two to sixty letters."), 422
    try:
        password = add_account(desk().store, name, role, who())
    except ReviewError as reason:
        return _page(problem=str(reason)), 422
    return _page(new_name=name, new_password=password)


@blueprint.post("/accounts/<id:account_id>/<action>")
@needs(Role.ADMIN)
def change(account_id: str, action: str) -> Any:
    """Changes a role, switches an account off or on, or gives a new one-time password."""
    found = _account(account_id)
    if action not in ("role", "off", "on", "reset"):
        abort(404)
    if found.id == account().id and action != "role":
        return _page(problem="That can't be done to your own account; ask another admin."), 422
    try:
        if action == "reset":
            return _page(new_name=found.name, new_password=reset_password(desk().store, found, who()))
        if action == "role":
            desk().store.change_account(account_id, who(), "changed_role", role=_role())
        else:
            on = action == "on"
            desk().store.change_account(account_id, who(), f"switched_{action}", active=on)
    except ReviewError as reason:
        return _page(problem=str(reason)), 422
    flash("Saved.")
    return redirect(url_for("accounts.listing"))


def _page(**more: Any) -> str:
    return render_template("accounts.html", accounts=desk().store.accounts(), **more)


def _role() -> Role:
    try:
        return Role(text_in("role", 20))
    except ValueError:
        abort(400, "Choose a role.")


def _account(account_id: str) -> Account:
    found = next((one for one in desk().store.accounts() if one.id == account_id), None)
    if found is None:
        abort(404)
    return found
