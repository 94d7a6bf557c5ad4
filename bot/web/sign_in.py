"""Signing in and out, and changing one's password."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from bot.passwords import LONGEST, hash_password, is_right, problem_with
from bot.web.desk import account, desk, who
from bot.web.forms import tidy
from bot.web.guard import TOKEN, public

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@public
def form() -> Any:
    """The form."""
    if current_user.is_authenticated:
        return redirect("/")
    return render_template("sign_in.html", next=_own_path(request.args.get("next", "")))


@blueprint.post("/sign-in")
@public
def enter() -> Any:
    """Signs in under a new session, whatever session there was before."""
    name = tidy(request.form.get("name", ""))[:100].strip()
    password = request.form.get("password", "")[:LONGEST]
    target = _own_path(request.form.get("next", ""))
    address = request.remote_addr or ""
    if not desk().limits.allows(name, address):
        problem = "Too many attempts. Wait five minutes, then try again."
        return render_template("sign_in.html", problem=problem, name=name, next=target), 429
    found = desk().store.account_named(name)
    if not is_right(password, found.password_hash if found and found.active else None) or not found:
        desk().limits.failed(name, address)
        problem = "That name and password don't match."
        return render_template("sign_in.html", problem=problem, name=name, next=target), 403
    session.clear()
    session[TOKEN] = secrets.token_urlsafe(32)
    desk().store.start_session(session[TOKEN], found.id)
    return redirect(target)


@blueprint.post("/sign-out")
def leave() -> Any:
    """Ends the session, here and on the server."""
    desk().store.end_session(session[TOKEN])
    session.clear()
    return redirect(url_for("sign_in.form"))


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Any:
    """Changes one's own password; has to be done first after a one-time password."""
    if request.method == "GET":
        return render_template("password.html")
    old, new = request.form.get("old", "")[:LONGEST], request.form.get("new", "")[: LONGEST + 1]
    address = request.remote_addr or ""
    if not desk().limits.allows(account().name, address):
        problem = "Too many attempts. Wait five minutes, then try again."
    elif not is_right(old, account().password_hash):
        desk().limits.failed(account().name, address)
        problem = "The old password is not right."
    elif new != request.form.get("again", ""):
        problem = "The two new passwords are not the same."
    elif new == old:
        problem = "The new password has to be another one."
    else:
        problem = problem_with(new, account().name)
    if problem:
        return render_template("password.html", problem=problem), 422
    desk().store.change_account(
        account().id, who(), "changed_password", password_hash=hash_password(new), must_change=False
    )
    token = secrets.token_urlsafe(32)
    desk().store.start_session(token, account().id)
    session.clear()
    session[TOKEN] = token
    flash("Your password is changed.")
    return redirect("/")


def _own_path(target: str) -> str:
    """A path of this app; anything else becomes the first page."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and tidy(target) == target
    return target if is_own and "\n" not in target and "\t" not in target else "/"
