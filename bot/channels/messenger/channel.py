"""Messenger's input channel for credentials.yml: the webhook, and the data deletion callback."""

from __future__ import annotations

import hmac
import logging
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint, Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, html, text
from sanic.response import json as json_response

from bot import logs
from bot.channels.messenger.deletion import read_request, status_page
from bot.channels.messenger.events import BadBody, read_delivery
from bot.channels.messenger.limits import MAX_BODY_BYTES
from bot.channels.messenger.service import Messenger
from bot.channels.messenger.signature import signed_by_meta
from bot.channels.turn import OnNewMessage
from bot.model import utc_now
from bot.settings import Settings, load_settings
from bot.store.messenger_model import CHANNEL
from bot.store.store import StoreUnavailable

logger = logging.getLogger(__name__)

_NO_SCRIPTS = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


class MessengerChannel(InputChannel):
    """`/webhooks/facebook/webhook`, when Messenger is set up; else nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> MessengerChannel:
        return cls(load_settings())

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        webhook = Blueprint("facebook_webhook")
        if not self._settings.messenger_enabled:
            logger.info("Facebook Messenger is off: it has no settings. docs/messenger.md says how to start.")
            return webhook
        messenger = Messenger(self._settings, on_new_message)
        door = Door(self._settings, messenger)

        @webhook.get("/webhook")
        async def verify(request: Request) -> HTTPResponse:
            return door.verify(request)

        @webhook.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            return await door.receive(request)

        @webhook.post("/deletion")
        async def delete(request: Request) -> HTTPResponse:
            return await door.delete(request)

        @webhook.get("/deletion/<code>")
        async def deletion(request: Request, code: str) -> HTTPResponse:
            return await door.deletion_status(request, code)

        @webhook.listener("after_server_start")
        async def start(app: Sanic, _: object) -> None:
            await messenger.start(app.ctx.agent.tracker_store)

        @webhook.listener("before_server_stop")
        async def stop(app: Sanic, _: object) -> None:
            await messenger.stop()

        @webhook.listener("after_server_stop")
        async def close(app: Sanic, _: object) -> None:
            messenger.close()

        return webhook


class Door:
    """Answers Meta's requests: checked, stored, and only then 200."""

    def __init__(self, settings: Settings, messenger: Messenger) -> None:
        self._settings = settings
        self._messenger = messenger

    def verify(self, request: Request) -> HTTPResponse:
        """Shows Meta that the webhook is ours: echoes the challenge to who knows the verify token."""
        given = request.args.get("hub.verify_token") or ""
        known = hmac.compare_digest(
            given.encode("utf-8", "replace"), self._settings.messenger_verify_token.encode()
        )
        if not known or request.args.get("hub.mode") != "subscribe":
            return text("Forbidden.", status=403)
        return text(request.args.get("hub.challenge") or "", headers=_NO_SCRIPTS)

    async def receive(self, request: Request) -> HTTPResponse:
        """Stores the events of a request."""
        if len(request.body) > MAX_BODY_BYTES:
            return text("Too large.", status=413)
        signature = request.headers.get("x-hub-signature-256", "")
        if not signed_by_meta(request.body, signature, self._settings.messenger_app_secret):
            return text("Forbidden.", status=403)
        try:
            delivery = read_delivery(request.body, self._settings.messenger_tokens, utc_now())
        except BadBody as error:
            return text(str(error), status=400)
        try:
            await self._messenger.receive(delivery)
        except StoreUnavailable as error:
            logger.error("Events could not be stored (%s); Meta will bring them again.", error)
            return text("Try again.", status=503)
        for event in delivery.events:
            with logs.turn(logs.turn_of(event.conversation, event.key)):
                logger.info("An event of Messenger is stored.")
        return text("OK")

    async def delete(self, request: Request) -> HTTPResponse:
        """Takes a request to delete somebody's data."""
        deletion = read_request(request.body[:MAX_BODY_BYTES], self._settings.messenger_app_secret)
        if deletion is None:
            return json_response({"error": "Send Meta's signed_request."}, status=403)
        try:
            await self._messenger.receive_deletion(deletion)
        except StoreUnavailable:
            return json_response({"error": "Try again."}, status=503)
        base = self._settings.public_url.rstrip("/") or f"https://{request.host}"
        url = f"{base}/webhooks/{CHANNEL}/deletion/{deletion.code}"
        return json_response({"url": url, "confirmation_code": deletion.code})

    async def deletion_status(self, request: Request, code: str) -> HTTPResponse:
        """Tells what became of such a request."""
        try:
            deletion = await self._messenger.find_deletion(code[:32])
        except StoreUnavailable:
            return text("Try again.", status=503)
        page = status_page(self._messenger.turns.texts, code[:32], deletion)
        return html(page, status=200 if deletion else 404, headers=_NO_SCRIPTS)
