"""From a webhook's raw bytes to events. Nothing in a body can raise anything but `BadBody`.

One strange event never costs the others of its batch; what is not for the bot is left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from bot.channels.messenger.limits import PAGE_INBOX_APPS
from bot.store.messenger_model import Echo, EventKind, InboxEvent

METADATA_PREFIX = "milia:"
"""What the metadata of our own messages begins with; the outbox message's id follows."""

_LONGEST_ID = 200
_LONGEST_TEXT = 6000  # a little more than a conversation keeps
_LONGEST_PAYLOAD = 2000
_LATEST = 4102444800_000  # the year 2100


class BadBody(ValueError):
    """The body is not what Meta sends."""


@dataclass
class Delivery:
    """What one request brought."""

    events: list[InboxEvent] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)


def read_delivery(body: bytes, pages: Collection[str], now: datetime) -> Delivery:
    """The events of a webhook's body that concern these Pages.

    now: stands in for times that are missing or impossible.

    Raises:
        BadBody: it isn't a JSON object.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody("Send a JSON object.") from None
    if not isinstance(content, dict):
        raise BadBody("Send a JSON object.")
    delivery = Delivery()
    if content.get("object") != "page":
        return delivery
    for page, item in _items(content, pages):
        found = _read(item, page, now)
        if isinstance(found, Echo):
            delivery.echoes.append(found)
        elif found is not None:
            delivery.events.append(found)
    return delivery


def _items(content: Mapping[str, Any], pages: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Page and content of each event. `standby` is left out: another app has the conversation then."""
    for entry in _list(content.get("entry")):
        page = _id(entry.get("id")) if isinstance(entry, dict) else ""
        if page in pages:
            for item in _list(entry.get("messaging")):
                if isinstance(item, dict):
                    yield page, item


def _read(item: Mapping[str, Any], page: str, now: datetime) -> InboxEvent | Echo | None:
    sender, recipient = _id_of(item.get("sender")), _id_of(item.get("recipient"))
    message, postback = item.get("message"), item.get("postback")
    at = _time(item.get("timestamp"), now)
    if isinstance(message, dict) and message.get("is_echo"):
        return _echo(message, page, recipient, at) if sender == page and recipient else None
    if not sender or sender == page or recipient != page:
        return None
    if isinstance(message, dict):
        kind, text, payload = _said(message)
        mid = _id(message.get("mid"))
    elif isinstance(postback, dict):
        kind, text, payload = EventKind.CHOICE, _text(postback.get("title")), _payload(postback)
        mid = _id(postback.get("mid"))
    else:
        return None
    if kind is None:
        return None
    key = mid or _fallback_key(sender, item.get("timestamp"), kind, payload or text)
    return InboxEvent(page, sender, key, kind, at, text, payload)


def _said(message: Mapping[str, Any]) -> tuple[EventKind | None, str, str]:
    text = _text(message.get("text"))
    quick_reply = message.get("quick_reply")
    if isinstance(quick_reply, dict) and (payload := _payload(quick_reply)):
        return EventKind.CHOICE, text, payload
    if text.strip():
        return EventKind.TEXT, text, ""
    kinds = [
        str(attachment.get("type"))[:20]
        for attachment in _list(message.get("attachments"))
        if isinstance(attachment, dict)
    ]
    # Only the kinds are kept: where the files lie is nobody's business here.
    return (EventKind.ATTACHMENT, ", ".join(dict.fromkeys(kinds))[:100], "") if kinds else (None, "", "")


def _echo(message: Mapping[str, Any], page: str, psid: str, at: datetime) -> Echo | None:
    metadata = message.get("metadata")
    if isinstance(metadata, str) and metadata.startswith(METADATA_PREFIX):
        return Echo(page, psid, at, _id(metadata.removeprefix(METADATA_PREFIX)))
    app = _id(message.get("app_id"))
    # Without an app, or through the Page's inbox: a person wrote it. Other apps' messages are their own.
    return Echo(page, psid, at) if not app or app in PAGE_INBOX_APPS else None


def _fallback_key(sender: str, timestamp: Any, kind: EventKind, content: str) -> str:
    """Names an event that has no id of its own."""
    told = "\0".join((sender, str(timestamp)[:40], kind.value, content))
    return "no-mid-" + hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _id_of(value: Any) -> str:
    return _id(value.get("id")) if isinstance(value, dict) else ""


def _id(value: Any) -> str:
    """An id as text; empty when it can't be one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**40 else ""
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return ""
    return value if len(value) <= _LONGEST_ID else ""


def _text(value: Any) -> str:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _payload(value: Mapping[str, Any]) -> str:
    payload = value.get("payload")
    return payload if isinstance(payload, str) and len(payload) <= _LONGEST_PAYLOAD else ""


def _time(value: Any, now: datetime) -> datetime:
    """Meta's milliseconds as a time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LATEST:
        return datetime.fromtimestamp(value / 1000, timezone.utc)
    return now
