"""Pages beside the chat: a site as the clinic would have it, and health for load balancers."""

from __future__ import annotations

from html import escape
from pathlib import Path

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, html
from sanic.response import json as json_response

from bot.clinic_source import shared_clinic
from bot.reply import fill
from bot.settings import Settings

STATIC = Path(__file__).parent / "static"

# As strict as a page can be: the widget must work on it.
DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def pages(settings: Settings) -> Blueprint:
    """`/`, `/health/live` and `/health/ready`."""
    blueprint = Blueprint("pages")
    headers = {"Content-Security-Policy": DEMO_POLICY, "Cache-Control": "no-cache"}

    @blueprint.get("/")
    async def demo(_: Request) -> HTTPResponse:
        facts = shared_clinic(settings).clinic.facts()
        page = (STATIC / "demo.html").read_text(encoding="utf-8")
        return html(fill(page, {name: escape(fact) for name, fact in facts.items()}), headers=headers)

    @blueprint.get("/demo.css")
    async def demo_styles(_: Request) -> HTTPResponse:
        styles = (STATIC / "demo.css").read_text(encoding="utf-8")
        return HTTPResponse(styles, content_type="text/css; charset=utf-8", headers=headers)

    @blueprint.get("/health/live")
    async def live(_: Request) -> HTTPResponse:
        """The process answers."""
        return json_response({"status": "ok"})

    @blueprint.get("/health/ready")
    async def ready(request: Request) -> HTTPResponse:
        """It has a model, and is not about to stop."""
        agent = getattr(request.app.ctx, "agent", None)
        if agent is None or not agent.is_ready():
            return json_response({"error": "No model is loaded yet; ask again in a moment."}, status=503)
        if getattr(request.app.ctx, "stopping", False):
            return json_response({"error": "The server is stopping; ask another one."}, status=503)
        return json_response({"status": "ok", "model": agent.model_id})

    @blueprint.listener("before_server_stop")
    async def stopping(app: object, _: object) -> None:
        app.ctx.stopping = True  # type: ignore[attr-defined]

    return blueprint
