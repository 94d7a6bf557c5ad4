"""The website's input channel: sessions, messages answered as a stream, history, later replies, thumbs.

Every answer is JSON, a refusal `{"error": "<what to do>"}`. docs/website.md describes the requests.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, empty
from sanic.response import json as json_response

from bot.channels.turn import OnNewMessage, Turns
from bot.channels.website import feedback
from bot.channels.website.assets import WidgetScript
from bot.channels.website.exchange import Busy, Exchange, Exchanges
from bot.channels.website.history import items_of, replies_after, staff_item
from bot.channels.website.limits import Limits, address_of
from bot.channels.website.live import LiveReplies
from bot.channels.website.origins import Origins
from bot.channels.website.output import WebsiteOutput
from bot.channels.website.refusal import Refusal
from bot.channels.website.session import Session, Sessions
from bot.channels.website.wire import body_of, flag_in, id_in, text_in, to_wire
from bot.clinic_source import shared_clinic
from bot.model import Person, utc_now
from bot.settings import Settings, load_settings
from bot.store.recorder import shared_recorder
from bot.store.store import StoreUnavailable
from bot.store.tracker_store import behind
from bot.texts import load_texts

logger = logging.getLogger(__name__)

SECONDS_TO_WAIT_FOR_REPLIES = 25.0
SECONDS_TOGETHER = 0.1
"""What comes within a tenth of a second is written at once: nobody sees the difference, and writing costs
more than any other step of a turn."""
Handler = Callable[[Request], Awaitable[HTTPResponse | None]]


class WebsiteChannel(InputChannel):
    """`/webhooks/website/`: the widget's script, and the chat that it speaks to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @classmethod
    def name(cls) -> str:
        return "website"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebsiteChannel:
        return cls(load_settings())

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        chat = Chat(self._settings, on_new_message)
        webhook = Blueprint("website_webhook")
        for method, path, handler in (
            ("POST", "/session", chat.session),
            ("POST", "/messages", chat.message),
            ("GET", "/history", chat.history),
            ("GET", "/live", chat.live),
            ("POST", "/feedback", chat.feedback),
            ("POST", "/clicks", chat.click),
        ):
            webhook.add_route(
                chat.guarded(handler), path, methods=[method, "OPTIONS"], name=f"website_{path[1:]}"
            )
        script = WidgetScript(load_texts(self._settings))

        @webhook.get("/widget.js")
        async def widget(request: Request) -> HTTPResponse:
            return script.current().response(request)

        @webhook.exception(PayloadTooLarge)
        async def too_large(request: Request, error: PayloadTooLarge) -> HTTPResponse:
            return chat.too_large().response(chat.origins.headers(request))

        @webhook.listener("before_server_stop")
        async def stop(app: object, _: object) -> None:
            chat.later.stop()

        return webhook


class Chat:
    """Answers the widget's requests."""

    def __init__(self, settings: Settings, on_new_message: OnNewMessage) -> None:
        self._settings = settings
        self._on_new_message = on_new_message
        self._texts = load_texts(settings)
        self._clinic = shared_clinic(settings)
        self._turns = Turns(WebsiteChannel.name(), settings, self._texts)
        self._sessions = Sessions(settings)
        self._limits = Limits(settings)
        self._exchanges = Exchanges(settings.turns_at_once)
        self._recorder = shared_recorder(settings)
        self._store = self._recorder.store
        self.later = LiveReplies(self._store, WebsiteChannel.name())
        self.origins = Origins(settings)

    # ------------------------------------------------------------ the requests

    async def session(self, request: Request) -> HTTPResponse:
        """A token for a new visitor, or a fresh one for a visitor who comes back."""
        await self._count("address", address_of(request, self._settings.proxies))
        known = self._sessions.read(_token(request))
        session = self._sessions.renew(known) if known else self._sessions.issue()
        greeting = to_wire(
            self._texts.reply("utter_widget_greeting"), self._turns, session.conversation, utc_now()
        )
        return self._json(
            request, {"token": session.token, "new": known is None, "buttons": greeting["buttons"]}
        )

    async def message(self, request: Request) -> None:
        """Answers one message by lines: `typing`, each `reply`, `done`."""
        session = self._session_of(request)
        body = body_of(request, self._too_long)
        message_id, text, payload = id_in(body, "id"), text_in(body, "text"), text_in(body, "button", "")
        again = flag_in(body, "again", False)
        exchange = self._exchanges.find(session.conversation, message_id)
        if exchange is None and again:
            exchange = await self._answered_before(request, session, message_id)
        if exchange is None:
            await self._count("session", session.conversation)
            await self._count("address", address_of(request, self._settings.proxies))
            chosen = payload if self._turns.button(payload, session.conversation) else text
            exchange = self._begin(request, session, message_id, chosen)
        await self._stream(request, exchange)

    async def history(self, request: Request) -> HTTPResponse:
        """The conversation so far."""
        session = self._session_of(request)
        await self._count("session", session.conversation)
        return self._json(request, {"items": await self._items(request, session)})

    async def live(self, request: Request) -> HTTPResponse:
        """Replies that came outside of a turn; waits for one. `shown`: ids of those that the widget shows."""
        session = self._session_of(request)
        await self._count("live", session.conversation)
        shown = request.args.get("shown", "").split(",")
        replies = await self.later.replies(session.conversation, shown, SECONDS_TO_WAIT_FOR_REPLIES)
        items = [staff_item(reply, self._turns, session.conversation) for reply in replies]
        return self._json(request, {"items": items})

    async def feedback(self, request: Request) -> HTTPResponse:
        """Stores a thumb: {"reply": id, "up": true or false}."""
        session = self._session_of(request)
        await self._count("session", session.conversation)
        body = body_of(request, self._too_long)
        reply_id, up = id_in(body, "reply"), flag_in(body, "up")
        tracker = await request.app.ctx.agent.tracker_store.retrieve_full_tracker(session.conversation)
        said = feedback.said_up_to(reply_id, list(tracker.events) if tracker else [])
        if said is None:
            raise Refusal(404, "This conversation holds no such reply.")
        person = self._person(session)
        question = feedback.question_of(said)
        await self._recorder.record_async(feedback.thumb_event(person, reply_id, up, question))
        if question is not None and not up:
            unhelped = await asyncio.to_thread(feedback.unhelped_question, person, reply_id, said, question)
            await self._recorder.record_async(unhelped)
        return self._json(request, {"stored": True})

    async def click(self, request: Request) -> HTTPResponse:
        """Counts that a link was opened: {"target": its address}. Only what the charts show is kept."""
        session = self._session_of(request)
        await self._count("session", session.conversation)
        body = body_of(request, self._too_long)
        event = feedback.click_event(self._person(session), text_in(body, "target"), self._clinic.clinic)
        if event:
            await self._recorder.record_async(event)
        return empty(headers=self.origins.headers(request))

    # ------------------------------------------------------------ what they share

    def guarded(self, handler: Handler) -> Handler:
        """The handler for allowed origins only; its refusals become answers."""

        @wraps(handler)
        async def answer(request: Request) -> HTTPResponse | None:
            if not self.origins.allows(request):
                sentence = "This site may not show the chat; add its address to MILIA_ALLOWED_ORIGINS."
                return Refusal(403, sentence).response(self.origins.headers(request))
            if request.method == "OPTIONS":
                return empty(headers=self.origins.headers(request))
            try:
                return await handler(request)
            except Refusal as refusal:
                return refusal.response(self.origins.headers(request))
            except SanicException:
                raise
            except Exception:
                if request.responded:  # the stream has begun; the widget sees that it was cut off
                    raise
                logger.exception("A request of the website chat failed.")
                trouble = self._texts.reply("utter_trouble").text
                return Refusal(500, trouble).response(self.origins.headers(request))

        return answer

    def too_large(self) -> Refusal:
        return Refusal(413, self._too_long())

    def _too_long(self) -> str:
        return self._texts.reply("utter_widget_too_long").text

    def _session_of(self, request: Request) -> Session:
        session = self._sessions.read(_token(request))
        if session is None:
            raise Refusal(401, "Ask for a session first, and send its token: Authorization: Bearer <token>.")
        return session

    def _person(self, session: Session) -> Person:
        return self._settings.person(WebsiteChannel.name(), session.conversation)

    async def _count(self, kind: str, who: str) -> None:
        wait = await self._limits.wait(kind, who)
        if wait is not None:
            raise Refusal(429, self._texts.reply("utter_widget_too_many").text, wait)

    def _begin(self, request: Request, session: Session, message_id: str, chosen: str) -> Exchange:
        conversation, store = session.conversation, request.app.ctx.agent.tracker_store

        async def answer(exchange: Exchange) -> None:
            output = WebsiteOutput(self._turns, exchange)
            await self._turns.run(
                self._on_new_message, chosen, conversation, output, store, message_id=message_id
            )

        try:
            return self._exchanges.begin(session.conversation, message_id, answer)
        except Busy as busy:
            if busy.own:
                raise Refusal(429, self._texts.reply("utter_widget_too_many").text, 5) from None
            raise Refusal(503, self._texts.reply("utter_widget_busy").text, 5) from None

    async def _answered_before(self, request: Request, session: Session, message_id: str) -> Exchange | None:
        """What the conversation holds as the answer to a message, also when another server gave it."""
        try:
            replies = replies_after(await self._items(request, session), message_id)
        except Refusal:
            return None
        return Exchange.answered(replies) if replies else None

    async def _items(self, request: Request, session: Session) -> list[dict[str, Any]]:
        try:
            store = behind(request.app.ctx.agent.tracker_store)
            tracker = await store.retrieve_full_tracker(session.conversation)
        except StoreUnavailable:
            raise Refusal(503, self._texts.reply("utter_trouble").text, 5) from None
        try:
            sent = await asyncio.to_thread(self._store.replies, self._person(session).key)
        except StoreUnavailable:
            sent = []  # they are still there when the database is back
        return items_of(tracker.events if tracker else (), sent, self._turns, session.conversation)

    async def _stream(self, request: Request, exchange: Exchange) -> None:
        headers = {**self.origins.headers(request), "X-Accel-Buffering": "no"}
        response = await request.respond(headers=headers, content_type="application/x-ndjson")
        lines = _TYPING
        async for replies in exchange.follow(SECONDS_TOGETHER):
            lines += "".join(map(_line, replies))
            if not exchange.finished:
                await response.send(lines)
                lines = ""
        await response.send(lines + _DONE, end_stream=True)

    def _json(self, request: Request, body: dict[str, Any]) -> HTTPResponse:
        return json_response(body, headers=self.origins.headers(request), dumps=json.dumps)


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _line(item: Mapping[str, Any]) -> str:
    return json.dumps(item) + "\n"


_TYPING, _DONE = _line({"type": "typing"}), _line({"type": "done"})
