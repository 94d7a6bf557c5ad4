"""What the staff app reads of Messenger: when people wrote last, and why a reply did not reach them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.store.history import HistoryStore
from bot.store.messenger_inbox import to_thread
from bot.store.messenger_model import OutboxState, Thread
from bot.store.messenger_tables import messenger_outbox, messenger_threads


class MessengerThreadStore(HistoryStore):
    """Reading only: the connector writes these tables."""

    def messenger_threads(self, conversations: Sequence[str]) -> dict[str, Thread]:
        """The threads of these conversations; none for people who never wrote to the Page."""
        query = sa.select(messenger_threads).where(messenger_threads.c.sender_id.in_(list(conversations)))
        rows = self._read(lambda c: c.execute(query).mappings().all())
        return {row["sender_id"]: to_thread(row) for row in rows}

    def reply_problems(self, reply_ids: Sequence[str]) -> dict[str, str]:
        """Why these staff replies could not be delivered on Messenger, for those that could not."""
        table = messenger_outbox
        query = sa.select(table.c.reply_id, table.c.problem).where(
            table.c.reply_id.in_(list(reply_ids)), table.c.state == OutboxState.FAILED.value
        )
        return self._read(lambda c: dict(c.execute(query).all()))
