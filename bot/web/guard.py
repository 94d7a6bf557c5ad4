"""Who may see what: every page needs a signed-in account of its role, unless it says that it is public."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, Response, abort, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect

from bot.review_model import Account, Role
from bot.settings import Settings
from bot.web.desk import desk

TOKEN = "token"  # noqa: S105 -- the name of the field in the cookie
_ROLE, _PUBLIC = "_needs_role", "_public"

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

View = TypeVar("View", bound=Callable[..., Any])


class SignedIn(UserMixin):
    """What Flask-Login knows as the user."""

    def __init__(self, account: Account, token: str) -> None:
        self.account = account
        self.id = token


def needs(role: Role) -> Callable[[View], View]:
    """Marks a page as needing this role; without it, a page needs a reviewer."""

    def mark(view: View) -> View:
        setattr(view, _ROLE, role)
        return view

    return mark


def public(view: View) -> View:
    """Marks a page that needs no account."""
    setattr(view, _PUBLIC, True)
    return view


def protect(app: Flask, settings: Settings) -> None:
    """Sessions, CSRF tokens, security headers, and the check before every request."""
    https = settings.staff_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.signing_key("staff"),
        SESSION_COOKIE_NAME="__Host-staff" if https else "milia_staff",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=256 * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    CSRFProtect(app)
    Talisman(
        app,
        force_https=False,  # the proxy in front does
        session_cookie_secure=https,
        strict_transport_security=https,
        content_security_policy=POLICY,
        referrer_policy="same-origin",
        frame_options="DENY",
    )
    manager = LoginManager(app)
    manager.session_protection = None  # sessions are kept in the database and end there
    idle = timedelta(hours=settings.staff_session_hours)

    @manager.request_loader
    def _load(_: Any) -> SignedIn | None:
        token = session.get(TOKEN)
        if not isinstance(token, str):
            return None
        account = desk().store.session_account(token, idle)
        return SignedIn(account, token) if account else None

    app.before_request(_check)
    app.after_request(_keep_private)


def _check() -> Any:
    if request.endpoint is None or request.endpoint == "static":
        return None
    from flask import current_app

    view = current_app.view_functions[request.endpoint]
    if getattr(view, _PUBLIC, False):
        return None
    if not current_user.is_authenticated:
        if request.method != "GET" or request.headers.get("HX-Request"):
            abort(401)
        return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?")))
    if current_user.account.must_change and request.endpoint not in ("sign_in.password", "sign_in.leave"):
        return redirect(url_for("sign_in.password"))
    if not current_user.account.role.includes(getattr(view, _ROLE, Role.REVIEWER)):
        abort(403)
    return None


def _keep_private(response: Response) -> Response:
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
