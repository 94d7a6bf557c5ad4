"""A conversation as the server has it: what the visitor wrote, and what bot and staff replied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from rasa.shared.core.events import BotUttered, Event, UserUttered

from bot.channels.turn import Turns
from bot.channels.website.wire import is_answer, to_wire
from bot.model import OutgoingReply
from bot.reply import from_message

LATEST = 200


def items_of(
    events: Iterable[Event], outgoing: Sequence[OutgoingReply], turns: Turns, conversation: str
) -> list[dict[str, Any]]:
    """The latest items of a conversation for the widget, oldest first.

    Args:
        events: of the conversation's tracker.
        outgoing: replies that were sent outside of a turn, by staff.
    """
    latest = 0.0
    timed: list[tuple[float, dict[str, Any] | None]] = []
    for event in events:  # are in order, also when the server's clock was put back between them
        latest = max(latest, event.timestamp or 0.0)
        timed.append((latest, item_of(event, turns, conversation)))
    timed += [(reply.created_at.timestamp(), staff_item(reply, turns, conversation)) for reply in outgoing]
    items = [item for _, item in sorted(timed, key=lambda pair: pair[0]) if item]
    return items[-LATEST:]


def item_of(event: Event, turns: Turns, conversation: str) -> dict[str, Any] | None:
    """An event of the tracker for the widget; None when a visitor has nothing to see in it."""
    at = datetime.fromtimestamp(event.timestamp or 0, timezone.utc)
    if isinstance(event, UserUttered) and event.text:
        return {
            "type": "message",
            "id": event.message_id,
            "from": "visitor",
            "text": event.text,
            "at": at.isoformat(),
        }
    if isinstance(event, BotUttered) and event.text:
        message = event.message()
        return to_wire(from_message(message), turns, conversation, at, is_answer(message))
    return None


def staff_item(outgoing: OutgoingReply, turns: Turns, conversation: str) -> dict[str, Any]:
    """A reply from the outbox for the widget, under the id that the outbox knows it by."""
    item = to_wire(outgoing.reply, turns, conversation, outgoing.created_at)
    return {**item, "id": outgoing.id}


def replies_after(items: Sequence[Mapping[str, Any]], message_id: str) -> list[Mapping[str, Any]] | None:
    """The bot's replies to a visitor's message; None when the conversation doesn't hold the message."""
    replies: list[Mapping[str, Any]] | None = None
    for item in items:
        if item["from"] != "visitor":
            if replies is not None:
                replies.append(item)
        elif replies is not None:
            break
        elif item["id"] == message_id:
            replies = []
    return replies
