"""The open REST channel, for development and tests: POST {"sender", "message"}, get a list of replies.

Same path and shape as Rasa's own, but it checks what it is given, shares no conversation between people
who name no sender, never honours typed commands, and always answers. Off in production by default,
because whoever knows a sender's name can write in its conversation.
"""

from __future__ import annotations

import json
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.channels.turn import OnNewMessage, ReplyOutput, Turns
from bot.model import Reply, new_id
from bot.settings import Settings, load_settings
from bot.texts import load_texts

MAX_BODY_BYTES = 256 * 1024
MAX_SENDER_CHARACTERS = 255


class RestOutput(ReplyOutput):
    """Collects replies as JSON. Links stand in the text too: its readers may have nothing else."""

    def __init__(self, turns: Turns, recipient: str) -> None:
        self._turns = turns
        self._recipient = recipient
        self.messages: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        return "rest"

    async def send_reply(self, recipient_id: str, reply: Reply) -> None:
        shown = "".join(
            f"\n{link.title}: {link.target}"
            for link in reply.links
            if link.target.startswith("http") and link.title not in reply.text
        )
        message: dict[str, Any] = {
            "recipient_id": self._recipient,
            "text": reply.text + shown,
            "id": reply.id,
        }
        if reply.next_steps:
            message["buttons"] = [
                {"title": button.title, "payload": self._turns.signed(button, recipient_id)}
                for button in reply.next_steps
            ]
        if reply.links:
            message["links"] = [{"title": link.title, "target": link.target} for link in reply.links]
        if reply.code:
            message["code"] = reply.code
        self.messages.append(message)


class RestChannel(InputChannel):
    """`POST /webhooks/rest/webhook`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @classmethod
    def name(cls) -> str:
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> RestChannel:
        return cls(load_settings())

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        webhook = Blueprint("rest_webhook", __name__)
        if not self._settings.rest_enabled:
            return webhook
        turns = Turns(self.name(), self._settings, load_texts(self._settings))

        @webhook.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return json_response({"status": "ok"})

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            try:
                sender, text = read_message(request)
            except ValueError as error:
                return json_response({"error": str(error)}, status=413 if "too large" in str(error) else 400)
            conversation = f"rest-{sender}"
            output = RestOutput(turns, sender)
            store = request.app.ctx.agent.tracker_store
            await turns.run(on_new_message, text, conversation, output, store)
            return json_response(output.messages)

        return webhook


def read_message(request: Request) -> tuple[str, str]:
    """Sender and text of a request.

    Raises:
        ValueError: saying what is wrong with the request.
    """
    if request.headers.get("content-encoding"):
        raise ValueError("Compressed bodies are not accepted; send plain JSON.")
    if len(request.body) > MAX_BODY_BYTES:
        raise ValueError(f"The body is too large; send at most {MAX_BODY_BYTES} bytes.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise ValueError('Send a JSON object: {"sender": "...", "message": "..."}.') from None
    if not isinstance(body, dict):
        raise ValueError('Send a JSON object: {"sender": "...", "message": "..."}.')
    text = body.get("message")
    if not isinstance(text, str):
        raise ValueError("`message` has to be text.")
    sender = body.get("sender", None)
    if sender is None:
        sender = new_id()
    if not isinstance(sender, (str, int)) or isinstance(sender, bool):
        raise ValueError("`sender` has to be text.")
    if len(str(sender)) > MAX_SENDER_CHARACTERS:
        raise ValueError(f"`sender` has to be at most {MAX_SENDER_CHARACTERS} characters.")
    return str(sender), text
