"""Signed button payloads: only buttons that the bot itself sent to this person become commands.

On the wire a payload is `/faq/pain~Does it hurt?~<signature>`. The signature covers the payload, the
button's title and whose conversation it belongs to, so it needs no lookup, holds across restarts and
servers, and can't be typed by somebody who wasn't sent it.
"""

from __future__ import annotations

import base64
import hmac

from bot.model import Button

_SEPARATOR = "~"
_SIGNATURE_BYTES = 12


def sign(button: Button, conversation: str, key: bytes) -> str:
    """The payload to send with a button.

    Args:
        conversation: the sender id; a fixed word for buttons that everybody gets (a Messenger menu).
        key: from `Settings.signing_key("buttons")`.
    """
    title = button.title.replace(_SEPARATOR, "-")
    return _SEPARATOR.join((button.payload, title, _signature(button.payload, title, conversation, key)))


def verify(text: str, conversation: str, key: bytes) -> Button | None:
    """The button that a text is the payload of; None for anything that the bot did not send here."""
    parts = text.split(_SEPARATOR)
    if len(parts) != 3 or not text.startswith("/"):
        return None
    payload, title, signature = parts
    expected = _signature(payload, title, conversation, key)
    return Button(title, payload) if hmac.compare_digest(expected.encode(), signature.encode()) else None


def _signature(payload: str, title: str, conversation: str, key: bytes) -> str:
    message = "\0".join((conversation, payload, title)).encode("utf-8", "replace")
    digest = hmac.digest(key, message, "sha256")[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).decode()
