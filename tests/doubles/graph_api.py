"""Meta on loopback: a Graph API that is as strict as the real one, and the sender of webhooks.

It has its own copy of Meta's limits, so that a wrong number in the code is found.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import itertools
import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import regex
from aiohttp import web

Json = dict[str, Any]

APP_ID = "1517776481860111"
PAGE_INBOX = 263902037430900
SECONDS_TO_ANSWER = 5.0


@dataclass(frozen=True)
class Fault:
    """How one call goes wrong.

    error: Graph's error code. status: the HTTP status; 0 for that which fits the code.
    delay: seconds before anything happens.
    reset: the connection is cut, nothing was done.
    lost: it was done, but the answer never comes.
    echo: whether what was done is echoed.
    """

    error: int | None = None
    status: int = 0
    delay: float = 0.0
    reset: bool = False
    lost: bool = False
    echo: bool = True


@dataclass(frozen=True)
class Sent:
    """A message that reached a person."""

    page: str
    psid: str
    message: Json
    tag: str
    mid: str
    at: float

    @property
    def text(self) -> str:
        """What they read."""
        payload = self.message.get("attachment", {}).get("payload", {})
        return self.message.get("text") or payload.get("text", "")

    @property
    def buttons(self) -> list[Json]:
        """What they can press: buttons of a template or of its cards, and quick replies."""
        payload = self.message.get("attachment", {}).get("payload", {})
        on_cards = [button for card in payload.get("elements", ()) for button in card.get("buttons", ())]
        return [*payload.get("buttons", ()), *on_cards, *self.message.get("quick_replies", ())]


@dataclass
class Meta:
    """Both sides of Meta. Use it as `async with Meta(...) as meta`.

    webhook: where events go; empty as long as nobody listens.
    webhooks: several servers, of which each request goes to any.
    faults: how the next calls to send a message go wrong, in order; None for one that goes well.
    chaos: tells how a call goes wrong when `faults` says nothing.
    closed: persons whose 24 hours are over.
    """

    app_secret: str = "app-secret"
    tokens: Mapping[str, str] = field(default_factory=lambda: {"100": "token-100"})
    webhook: str = ""
    webhooks: list[str] = field(default_factory=list)
    chaos: Callable[[], Fault | None] = lambda: None
    echoes: bool = True
    faults: deque[Fault | None] = field(default_factory=deque)
    closed: set[str] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unauthorised: list[str] = field(default_factory=list)
    answer_times: list[float] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    profiles: dict[str, Json] = field(default_factory=dict)
    subscriptions: dict[str, list[str]] = field(default_factory=dict)
    ids_for_pages: dict[str, list[Json]] = field(default_factory=dict)

    # ------------------------------------------------------------ life

    async def __aenter__(self) -> Meta:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{version:v[0-9]+[.]0}/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        self._open = True
        self._tasks: set[asyncio.Task[Any]] = set()
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        for task in self._tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()
        await self._runner.cleanup()

    async def sent_to(self, psid: str, number: int, seconds: float = 10.0) -> list[Sent]:
        """Waits until a person has got so many messages."""
        return await self.until(lambda: self.got(psid), number, seconds)

    async def until(self, messages: Any, number: int, seconds: float = 10.0) -> list[Sent]:
        end = time.monotonic() + seconds
        while len(messages()) < number:
            self._news.clear()
            left = end - time.monotonic()
            assert left > 0, f"{len(messages())} of {number} messages came: {[s.text for s in messages()]}"
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, 1.0))
        return messages()

    def got(self, psid: str) -> list[Sent]:
        """The messages that a person has got, in order."""
        return [sent for sent in self.sent if sent.psid == psid]

    # ------------------------------------------------------------ the Graph API

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.calls.append((request.method, path))
        page = self._page_of(request)
        if page is None:
            self.unauthorised.append(path)
            return _error(190, "Invalid OAuth access token.", 401)
        if path.endswith("/ids_for_pages"):
            return web.json_response({"data": self.ids_for_pages.get(path.split("/")[0], [])})
        if path == "app":
            return web.json_response({"id": APP_ID})
        if path == "me/messenger_profile":
            return await self._profile(request, page)
        if path == f"{page}/subscribed_apps":
            return await self._subscribed(request, page)
        if path == f"{page}/messages" and request.method == "POST":
            return await self._send(request, page)
        return _error(100, "Unsupported request.", 400)

    def _page_of(self, request: web.Request) -> str | None:
        """The Page whose token is in the header (never in the address), with its proof."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if "access_token" in request.query or token in request.path_qs:
            return None
        proof = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if request.query.get("appsecret_proof") != proof:
            return None
        if token == f"{APP_ID}|{self.app_secret}":
            return "app"
        return next((page for page, own in self.tokens.items() if own == token), None)

    async def _send(self, request: web.Request, page: str) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else self.chaos()
        body = await request.json()
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and fault.reset:
            return _cut(request)
        if fault and fault.error is not None:
            return _error(fault.error, "As the script says.", fault.status or 400)
        if fault and fault.status:
            return web.Response(status=fault.status, text="<html>oops</html>")
        problem = message_problem(body)
        if problem:
            self.refused.append(f"{problem}: {json.dumps(body)[:300]}")
            return _error(100, problem, 400)
        psid, tag = body["recipient"]["id"], body.get("tag", "")
        if psid in self.closed and tag != "HUMAN_AGENT":
            return _error(10, "This message is sent outside of allowed window.", 400, 2018278)
        sent = Sent(page, psid, body["message"], tag, f"m_{next(self._numbers)}", time.time())
        self.sent.append(sent)
        self._news.set()
        if self.echoes and (self.webhook or self.webhooks) and (fault is None or fault.echo):
            self._later(self.deliver_until_accepted(self.body(page, [self.echo_of(sent)])))
        if fault and fault.lost:
            return _cut(request)
        return web.json_response({"recipient_id": psid, "message_id": sent.mid})

    async def _profile(self, request: web.Request, page: str) -> web.StreamResponse:
        profile = self.profiles.setdefault(page, {})
        if request.method == "GET":
            wanted = request.query.get("fields", "").split(",")
            found = {name: value for name, value in profile.items() if name in wanted}
            return web.json_response({"data": [found] if found else []})
        body = await request.json()
        problem = profile_problem({**profile, **body})
        if problem:
            self.refused.append(problem)
            return _error(100, problem, 400)
        profile.update(body)
        return web.json_response({"result": "success"})

    async def _subscribed(self, request: web.Request, page: str) -> web.StreamResponse:
        if request.method == "POST":
            fields = (await request.json())["subscribed_fields"]
            self.subscriptions[page] = fields.split(",")
            return web.json_response({"success": True})
        fields = self.subscriptions.get(page)
        apps = [{"id": APP_ID, "subscribed_fields": fields}] if fields else []
        return web.json_response({"data": [*apps, {"id": "1", "subscribed_fields": ["messages"]}]})

    # ------------------------------------------------------------ events

    def text(self, psid: str, text: str, mid: str = "", at: float | None = None, page: str = "100") -> Json:
        """A typed message."""
        return self._event(psid, page, at, message={"mid": mid or f"in_{next(self._numbers)}", "text": text})

    def quick_reply(self, psid: str, title: str, payload: str, page: str = "100") -> Json:
        message = {"mid": f"in_{next(self._numbers)}", "text": title, "quick_reply": {"payload": payload}}
        return self._event(psid, page, None, message=message)

    def postback(self, psid: str, title: str, payload: str, page: str = "100") -> Json:
        """A button, menu item, ice breaker or Get Started."""
        mid = f"in_{next(self._numbers)}"
        return self._event(psid, page, None, postback={"mid": mid, "title": title, "payload": payload})

    def attachment(self, psid: str, kind: str, page: str = "100", **more: Any) -> Json:
        attachment = {"type": kind, "payload": {"url": f"https://cdn.example.com/what-are-milia.{kind}"}}
        message = {"mid": f"in_{next(self._numbers)}", "attachments": [attachment], **more}
        return self._event(psid, page, None, message=message)

    def echo_of(self, sent: Sent) -> Json:
        message = {**sent.message, "mid": sent.mid, "is_echo": True, "app_id": int(APP_ID)}
        return _between(sent.page, sent.psid, sent.at, message=message)

    def echo_of_person(
        self, psid: str, text: str, page: str = "100", app_id: int | None = PAGE_INBOX
    ) -> Json:
        """What a person of the clinic wrote in the Page's inbox."""
        message: Json = {"mid": f"m_{next(self._numbers)}", "text": text, "is_echo": True}
        if app_id is not None:
            message["app_id"] = app_id
        return _between(page, psid, time.time(), message=message)

    def _event(self, psid: str, page: str, at: float | None, **content: Any) -> Json:
        return _between(psid, page, time.time() if at is None else at, **content)

    def body(self, page: str, events: Iterable[Json], kind: str = "messaging") -> bytes:
        """One entry of events, as Meta writes it."""
        return self.raw({"object": "page", "entry": [self.entry(page, events, kind)]})

    def entry(self, page: str, events: Iterable[Json], kind: str = "messaging") -> Json:
        return {"id": page, "time": int(time.time() * 1000), kind: list(events)}

    def raw(self, content: Any) -> bytes:
        """As Meta writes JSON: what is not ASCII escaped, and slashes too."""
        return json.dumps(content).replace("/", "\\/").encode()

    # ------------------------------------------------------------ delivering

    def signature(self, body: bytes) -> str:
        return "sha256=" + hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()

    async def deliver(self, body: bytes, signature: str | None = None, **headers: str) -> int:
        """The HTTP status with which the webhook answers."""
        signed = {"X-Hub-Signature-256": self.signature(body) if signature is None else signature}
        if signature == "":
            signed = {}
        begun = time.monotonic()
        given = {"Content-Type": "application/json", **signed, **headers}
        url = random.choice(self.webhooks or [self.webhook])
        async with self._http.post(url, data=io.BytesIO(body), headers=given) as response:
            await response.read()
            self.answer_times.append(time.monotonic() - begun)
            return response.status

    async def deliver_until_accepted(self, body: bytes, every: float = 0.1) -> None:
        """As Meta does: again and again until it is answered with 200, each time within 5 seconds."""
        while self._open:  # a cancellation can be lost in `wait_for`, when the request fails at that moment
            with suppress(aiohttp.ClientError, asyncio.TimeoutError, OSError):
                if await asyncio.wait_for(self.deliver(body), SECONDS_TO_ANSWER) == 200:
                    return
            await asyncio.sleep(every)

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _between(sender: str, recipient: str, at: float, **content: Any) -> Json:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": int(at * 1000), **content}


def _error(code: int, message: str, status: int, subcode: int | None = None) -> web.Response:
    error: Json = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    if subcode:
        error["error_subcode"] = subcode
    return web.json_response({"error": error}, status=status)


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()


# ------------------------------------------------------------ limits


def message_problem(body: Any) -> str:
    """What Graph would say against a call that sends a message; empty when it is valid."""
    if not body.get("recipient", {}).get("id"):
        return "no recipient"
    if body.get("messaging_type") not in {"RESPONSE", "UPDATE", "MESSAGE_TAG"}:
        return "messaging_type"
    if (body["messaging_type"] == "MESSAGE_TAG") != ("tag" in body) or body.get("tag") not in {
        None,
        "HUMAN_AGENT",
    }:
        return "tag"
    message = body.get("message")
    if not isinstance(message, dict) or ("text" in message) == ("attachment" in message):
        return "a message has a text or an attachment"
    if set(message) - {"text", "attachment", "quick_replies", "metadata"}:
        return "unknown fields"
    if len(message.get("metadata", "")) > 1000:
        return "metadata too long"
    if "text" in message and (problem := _text_problem(message["text"], 2000)):
        return problem
    if "attachment" in message and (problem := _template_problem(message["attachment"])):
        return problem
    return _quick_reply_problem(message.get("quick_replies", ()))


def _text_problem(text: Any, limit: int) -> str:
    if not isinstance(text, str) or not text.strip():
        return "empty text"
    if len(text.encode("utf-16-le")) // 2 > limit:
        return f"text longer than {limit}"
    if regex.match(r"\p{M}|\u200d", text):
        return "a grapheme was torn apart"
    return ""


def _quick_reply_problem(replies: Sequence[Json]) -> str:
    if len(replies) > 13:
        return "more than 13 quick replies"
    for reply in replies:
        if reply.get("content_type") != "text" or set(reply) != {"content_type", "title", "payload"}:
            return "a quick reply is malformed"
        if problem := _text_problem(reply["title"], 20) or _text_problem(reply["payload"], 1000):
            return f"quick reply: {problem}"
    return ""


def _template_problem(attachment: Json) -> str:
    payload = attachment.get("payload", {})
    if attachment.get("type") != "template":
        return "no template"
    if payload.get("template_type") == "button":
        return _text_problem(payload.get("text"), 640) or _buttons_problem(payload.get("buttons", ()))
    if payload.get("template_type") == "generic":
        cards = payload.get("elements", ())
        if not 1 <= len(cards) <= 10:
            return "1 to 10 elements"
        for card in cards:
            problem = _text_problem(card.get("title"), 80) or _buttons_problem(card.get("buttons", ()))
            if problem:
                return f"card: {problem}"
        return ""
    return "unknown template"


def _buttons_problem(buttons: Sequence[Json]) -> str:
    if not 1 <= len(buttons) <= 3:
        return "1 to 3 buttons"
    for button in buttons:
        if problem := _text_problem(button.get("title"), 20):
            return f"button: {problem}"
        kind = button.get("type")
        if kind == "postback" and set(button) == {"type", "title", "payload"}:
            if problem := _text_problem(button["payload"], 1000):
                return f"payload: {problem}"
        elif kind == "web_url" and set(button) == {"type", "title", "url"}:
            if not button["url"].startswith(("https://", "http://")):
                return "web_url without a web address"
        elif kind == "phone_number" and set(button) == {"type", "title", "payload"}:
            if not regex.fullmatch(r"\+[1-9]\d{5,14}", button["payload"]):
                return "phone_number without country code"
        else:
            return f"a button of type {kind} is malformed"
    return ""


def profile_problem(profile: Json) -> str:
    """What Graph would say against a profile; empty when it is valid."""
    if "persistent_menu" in profile and "get_started" not in profile:
        return "a menu needs Get Started"
    if len(profile.get("get_started", {}).get("payload", "")) > 1000:
        return "payload too long"
    for name, longest in (("greeting", 160),):
        for item in profile.get(name, ()):
            if len(item["text"]) > longest:
                return f"{name} too long"
    for name, most in (("ice_breakers", 4), ("persistent_menu", 20)):
        for item in profile.get(name, ()):
            actions = item["call_to_actions"]
            if item["locale"] != "default" or not 1 <= len(actions) <= most:
                return f"{name}: wrong number"
            for action in actions:
                title = action.get("question") or action.get("title") or ""
                if not title or len(title) > 80 or not 0 < len(action["payload"]) <= 1000:
                    return f"{name}: malformed"
    return ""
