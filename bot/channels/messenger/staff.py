"""Replies that staff write: into the outbox while the person may be written to, else back with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bot.channels.messenger.render import Renderer
from bot.channels.messenger.window import reply_window
from bot.model import OutgoingReply, utc_now
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_model import CHANNEL, OutboxMessage, OutboxState
from bot.store.messenger_outbox import Outbox
from bot.store.store import Store


class StaffReplies:
    """Hands staff replies over to the outbox.

    human_agent: whether Meta has granted the tag that allows 7 days instead of 24 hours.
    """

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        outbox: Outbox,
        renderer_for: Callable[[str], Renderer],
        human_agent: bool,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._outbox = outbox
        self._renderer_for = renderer_for
        self._human_agent = human_agent

    def hand_over(self) -> int:
        """Takes over what waits; says how many replies there were."""
        waiting = self._store.pending_replies(CHANNEL)
        for reply in waiting:
            self._outbox.hand_over(reply, self._messages(reply))
        return len(waiting)

    def _messages(self, reply: OutgoingReply) -> list[OutboxMessage]:
        thread = self._inbox.thread(reply.person.sender_id)
        window = reply_window(thread, utc_now(), self._human_agent)
        page, psid = (thread.page, thread.psid) if thread else _address(reply.person.sender_id)
        if window.problem:
            refused = OutboxMessage(
                page, psid, {}, reply.id, id=_id(reply, 0), state=OutboxState.FAILED, problem=window.problem
            )
            return [refused]
        messages = self._renderer_for(reply.person.sender_id).messages(reply.reply)
        return [
            OutboxMessage(page, psid, message, reply.id, window.tag, id=_id(reply, place))
            for place, message in enumerate(messages)
        ]


def _id(reply: OutgoingReply, place: int) -> str:
    """The same at every attempt, so that the outbox takes it once."""
    return hashlib.sha256(f"{reply.id}\0{place}".encode()).hexdigest()[:32]


def _address(conversation: str) -> tuple[str, str]:
    """Page and person of a conversation that never was."""
    page, _, psid = conversation.removeprefix(f"{CHANNEL}-").partition("-")
    return page, psid
