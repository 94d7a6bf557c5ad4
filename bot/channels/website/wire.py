"""What the widget and the server say to each other: requests read with care, replies as plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sanic.request import Request

from bot.channels.turn import Turns
from bot.channels.website.refusal import Refusal
from bot.model import Reply

MAX_BODY_BYTES = 256 * 1024
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

# Responses that answer a question, so that there is something to rate.
_ANSWERS = ("utter_faq", "utter_ask_", "utter_several", "utter_book", "utter_no_offer")
_ASKING = ("utter_ask_callback", "utter_ask_which", "utter_ask_help")


def body_of(request: Request, too_large: Callable[[], str]) -> Mapping[str, Any]:
    """The JSON object that a request brings; an empty one when it brings nothing.

    Raises:
        Refusal: 400 or 413; `too_large` gives what the visitor reads then.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(400, "Compressed bodies are not accepted; send plain JSON.")
    if len(request.body) > MAX_BODY_BYTES:
        raise Refusal(413, too_large())
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(400, "Send a JSON object as the body.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "Send a JSON object as the body.")
    return body


def text_in(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text of the body. Raises `Refusal` when it is missing or something else."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise Refusal(400, f"`{name}` has to be text.")
    return value


def id_in(body: Mapping[str, Any], name: str) -> str:
    """An id of the body. Raises `Refusal` when it is missing or something else."""
    value = text_in(body, name)
    if not _ID.fullmatch(value):
        raise Refusal(400, f"`{name}` has to be 8 to 64 letters, digits, - or _.")
    return value


def flag_in(body: Mapping[str, Any], name: str, default: bool | None = None) -> bool:
    """A yes or no of the body. Raises `Refusal` when it is missing or something else."""
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise Refusal(400, f"`{name}` has to be true or false.")
    return value


def to_wire(
    reply: Reply, turns: Turns, conversation: str, at: datetime, rate: bool = False
) -> dict[str, Any]:
    """A reply for the widget.

    Args:
        conversation: whose buttons these are.
        rate: whether the visitor is asked if it helped.
    """
    return {
        "type": "reply",
        "id": reply.id,
        "from": reply.author,
        "text": reply.text,
        "at": at.isoformat(),
        "buttons": [
            {"title": button.title, "payload": turns.signed(button, conversation)}
            for button in reply.next_steps
        ],
        "links": [{"title": link.title, "target": link.target} for link in reply.links],
        "code": reply.code,
        "rate": rate,
    }


def is_answer(message: Mapping[str, Any]) -> bool:
    """Whether a message that Rasa sends answers a question, as its response's name tells."""
    name = str(message.get("utter_action") or "")
    return name.startswith(_ANSWERS) and not name.startswith(_ASKING)
