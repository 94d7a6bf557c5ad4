"""Replies that come later: what staff send reaches the open chats without a reload."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from datetime import timedelta

from bot.model import OutgoingReply, utc_now
from bot.store.store import Store, StoreUnavailable

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 2.0
_SLACK = timedelta(seconds=30)  # clocks of several servers differ, and a commit takes its time


class LiveReplies:
    """Tells waiting visitors of replies in the outbox.

    One look at the database serves everybody who waits, and nobody looks while nobody waits. A reply stays
    in the outbox until the widget has said that it shows it, so none is lost with a connection.
    """

    def __init__(
        self, store: Store, channel: str, seconds_between_looks: float = SECONDS_BETWEEN_LOOKS
    ) -> None:
        self._store = store
        self._channel = channel
        self._pause = seconds_between_looks
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._stopped = False

    async def replies(self, conversation: str, shown: Iterable[str], seconds: float) -> list[OutgoingReply]:
        """What waits for this visitor; waits for it at most so many seconds.

        Args:
            shown: ids of replies that the visitor sees already.
        """
        seen = set(shown)
        news = asyncio.Event()
        self._waiting.setdefault(conversation, set()).add(news)
        try:
            replies = await self._unseen(conversation, seen)
            if not replies and not self._stopped and seconds > 0:
                self._look()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(news.wait(), seconds)
                    replies = await self._unseen(conversation, seen)
            return replies
        finally:
            waiting = self._waiting[conversation]
            waiting.discard(news)
            if not waiting:
                del self._waiting[conversation]

    def stop(self) -> None:
        """Lets everybody go who waits; the server is about to stop."""
        self._stopped = True
        self._tell(self._waiting)
        if self._looking:
            self._looking.cancel()

    async def _unseen(self, conversation: str, seen: set[str]) -> list[OutgoingReply]:
        try:
            pending = await asyncio.to_thread(self._store.pending_replies, self._channel, conversation)
            for reply in pending:
                if reply.id in seen:
                    await asyncio.to_thread(self._store.mark_reply_sent, reply.id)
        except StoreUnavailable as error:
            logger.warning("The outbox can't be read (%s); visitors are told later.", error)
            return []
        return [reply for reply in pending if reply.id not in seen]

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_while_somebody_waits())

    async def _look_while_somebody_waits(self) -> None:
        known: set[str] = set()
        while self._waiting:
            since = utc_now() - _SLACK
            try:
                pending = await asyncio.to_thread(
                    self._store.pending_replies, self._channel, since=since, limit=1000
                )
            except StoreUnavailable:
                pending = []  # `_unseen` says so
            fresh = [reply for reply in pending if reply.id not in known]
            known = {reply.id for reply in pending}
            self._tell({reply.person.sender_id for reply in fresh})
            await asyncio.sleep(self._pause)

    def _tell(self, conversations: Iterable[str]) -> None:
        for conversation in list(conversations):
            for news in self._waiting.get(conversation, ()):
                news.set()
