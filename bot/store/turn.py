"""One turn of a conversation as it is stored: compressed, without Rasa."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """The events that one `save` added to a conversation.

    position: orders the turns of a conversation; nanoseconds since 1970, made to rise.
    data: the events, packed by `bot.store.turn_codec`.
    state: on some turns, the packed state of the tracker before the turn, so that reading can begin there.
    turn_id: which message it answers (`bot.logs.turn_of`), if one; a message is stored once, by whichever
        server comes first, however late the spool of another one is stored.
    """

    sender_id: str
    position: int
    data: bytes
    state: bytes | None = None
    turn_id: str | None = None
