"""The action server as a Sanic app: rasa_sdk's own, which here refuses what is no action call."""

from __future__ import annotations

import hmac
import logging
import os
import sys

import rasa_sdk.endpoint
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot import logs
from bot.serving.action_call import MAX_BODY_BYTES, BadCall, checked_call
from bot.serving.errors import where
from bot.serving.executor import PACKAGE, Executor
from bot.store.recorder import Recorder

HEALTH = ("/health", "/health/live", "/health/ready")

logger = logging.getLogger(__name__)


def build_app(package: str = PACKAGE, token: str = "", recorder: Recorder | None = None) -> Sanic:
    """rasa_sdk's app with the actions of `package`, its calls checked and its errors short.

    token: who calls has to have it, unless it is empty.
    recorder: what actions hold for the turn is stored before their answer goes out: the turn is the caller's.
    """
    if os.getcwd() not in sys.path:  # where the package is found
        sys.path.insert(0, os.getcwd())
    rasa_sdk.endpoint.ActionExecutor = Executor
    app = rasa_sdk.endpoint.create_app(package, cors_origins="")
    app.config.REQUEST_MAX_SIZE = MAX_BODY_BYTES
    # Not rasa_sdk's, which answers everything with 500 and sends the conversation back in the error.
    app.error_handler = ErrorHandler()
    app.error_handler.add(Exception, _error)

    @app.on_request
    async def begin(request: Request) -> None:
        logs.take_up(request.headers.get(logs.HEADER, ""))

    @app.on_request
    async def refuse(request: Request) -> HTTPResponse | None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and request.path not in HEALTH and not hmac.compare_digest(given.encode(), token.encode()):
            return json_response({"error": "This server is for chat servers only."}, status=403)
        return None

    @app.get("/health/live")
    @app.get("/health/ready")
    async def health(_: Request) -> HTTPResponse:
        """It listens only when all actions are there. What they need is not asked for: they do without."""
        return json_response({"status": "ok"})

    @app.on_request
    async def check(request: Request) -> HTTPResponse | None:
        if request.path != "/webhook" or request.method != "POST":
            return None
        try:
            if (
                request.stream.request_bytes > MAX_BODY_BYTES
            ):  # sanic has read none of it, and asks here all the same
                raise BadCall(413, f"The call is larger than {MAX_BODY_BYTES} bytes.")
            request.parsed_json = checked_call(
                request.body,
                request.headers.get("Content-Type", ""),
                request.headers.get("Content-Encoding", ""),
            )
        except BadCall as refusal:
            return json_response({"error": str(refusal)}, status=refusal.status)
        request.headers.pop("Content-Encoding", None)  # it is unpacked
        return None

    @app.on_response
    async def store(request: Request, _: HTTPResponse) -> None:
        if recorder is not None:
            await recorder.store_held()

    return app


def _error(request: Request, error: Exception) -> HTTPResponse:
    """A short JSON error for anything that is raised on the way."""
    status = error.status_code if isinstance(error, SanicException) else 500
    if status < 500:
        return json_response({"error": str(error).partition("\n")[0][:200] or "Bad request."}, status=status)
    logger.error("An action failed: %s", where(error))
    return json_response({"error": "The action failed."}, status=500)
