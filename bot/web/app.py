"""Makes the staff app."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from bot.answer_source import AnswerSource
from bot.clinic_source import ClinicSource
from bot.encoder import shared
from bot.review import Review
from bot.review_model import NotThere, ReviewError
from bot.settings import Settings
from bot.store.staff_store import StaffStore
from bot.store.store import StoreUnavailable
from bot.web import (
    accounts,
    answers,
    callbacks,
    clinic,
    guard,
    history,
    models,
    outcomes,
    people,
    publishing,
    questions,
    show,
    sign_in,
)
from bot.web.desk import Desk, make_topics
from bot.web.guard import public
from bot.web.sign_in_limits import SignInLimits

logger = logging.getLogger(__name__)


class _Id(BaseConverter):
    """An id of this project; anything else is not found."""

    regex = "[0-9a-f]{32}"


class _Topic(BaseConverter):
    """A topic, such as `faq/pain`; anything else is not found."""

    regex = "[a-z0-9_]+(?:/[a-z0-9_]+)?"
    part_isolating = False


def make_desk(settings: Settings) -> Desk:
    """What the pages work with, over the database of these settings."""
    store = StaffStore(settings.store_url)
    source = ClinicSource(settings, store)
    written = AnswerSource(settings, store)
    topics = make_topics(source, written)
    review = Review(store, topics, lambda: shared(cache_size=512), settings.return_after)
    return Desk(settings, store, review, source, written, SignInLimits(settings), topics)


def create_app(settings: Settings, desk: Desk | None = None) -> Flask:
    """The app. Its pages answer when the database does; nothing is opened before the first of them."""
    app = Flask(__name__)
    app.extensions["desk"] = desk or make_desk(settings)
    app.url_map.converters.update(id=_Id, topic=_Topic)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # their addresses change with their content
    guard.protect(app, settings)
    show.register(app)
    for page in (questions, answers, callbacks, outcomes, people, clinic, accounts, history, sign_in):
        app.register_blueprint(page.blueprint)
    for page in (publishing, models):
        app.register_blueprint(page.blueprint)

    @app.get("/health")
    @public
    def health() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/health/live")
    @public
    def live() -> Response:
        """The process answers."""
        return health()

    @app.get("/health/ready")
    @public
    def ready() -> Response:
        """Its pages do too: the database is there."""
        app.extensions["desk"].store.ping()
        return health()

    app.register_error_handler(CSRFError, _outdated)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(NotThere, _not_there)
    app.register_error_handler(ReviewError, _not_possible)
    app.register_error_handler(StoreUnavailable, _no_database)
    app.register_error_handler(Exception, _failed)
    if settings.staff_proxies:
        number = settings.staff_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number)  # type: ignore[method-assign]
    return app


def _error(status: int, title: str, text: str) -> tuple[str, int]:
    return render_template("error.html", title=title, text=text), status


def _outdated(error: CSRFError) -> Any:
    return _error(400, "That form was outdated", "Go back, load the page again and repeat what you did.")


def _refused(error: HTTPException) -> Any:
    status = error.code or 500
    if status == 401 and request.headers.get("HX-Request"):
        return "", status  # a part of a page: the page itself says what to do
    if status == 401:
        return redirect(url_for("sign_in.form"))
    if status < 400:
        return error
    titles = {
        403: ("Not for your role", "Ask an admin of the clinic if you need this."),
        404: ("Not found", "There is nothing here, or it was erased or deleted."),
        413: ("Too much at once", "What you sent is too long."),
    }
    title, text = titles.get(status, ("That didn't work", "Load the page again and repeat what you did."))
    is_ours = error.description != type(error).description and status in (400, 404)
    return _error(status, title, str(error.description) if is_ours else text)


def _not_there(error: NotThere) -> Any:
    return _error(404, "Not found", str(error.args[0]))


def _not_possible(error: ReviewError) -> Any:
    return _error(409, "That didn't work", str(error))


def _no_database(error: StoreUnavailable) -> Any:
    logger.warning("A page had to wait: the database can't be used (%s).", error)
    return _error(503, "The database doesn't answer", "Nothing is lost. Try again in a moment.")


def _failed(error: Exception) -> Any:
    logger.error("%s %s failed.", request.method, request.path, exc_info=error)
    return _error(500, "Something went wrong", "It has been logged. Go back and try again.")
