"""Answers what waits in the inbox: one event after the other for each person, many people at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bot import logs
from bot.channels.messenger.dialogue import Dialogue
from bot.channels.messenger.workers import Crew, Gate, Threads
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_model import OutboxMessage, Waiting

logger = logging.getLogger(__name__)

AT_ONCE = 32
"""People who are being answered."""
COMPUTING_AT_ONCE = 2
"""Turns of theirs that compute. More would make nobody's answer faster, but the webhook slower."""


class InboxCrew(Crew[Waiting]):
    """Those who answer.

    owner: this server, for the leases.
    answered: called when replies have been queued.
    """

    def __init__(
        self, inbox: Inbox, owner: str, threads: Threads, dialogue: Dialogue, answered: Callable[[], None]
    ) -> None:
        super().__init__("inbox", threads, lambda room: inbox.claim(owner, room), self._answer, AT_ONCE)
        self._inbox = inbox
        self._owner = owner
        self._dialogue = dialogue
        self._answered = answered
        self._gate = Gate(COMPUTING_AT_ONCE)

    async def _answer(self, first: Waiting) -> None:
        run = self._threads.run
        waiting: Waiting | None = first
        while waiting is not None:
            event = waiting.event
            if self.stopping:
                await run(self._inbox.release, event.conversation, self._owner)
                return
            turn = logs.turn_of(event.conversation, event.key)
            with logs.turn(turn):
                async with self._gate.passing():
                    answer = await self._dialogue.answer(waiting)
                messages = [
                    OutboxMessage(event.page, event.psid, message, id=f"{turn}{place:08x}")
                    for place, message in enumerate(answer.messages)
                ]
                waiting = await run(self._inbox.finish, waiting, self._owner, messages, answer.introduced)
                logger.info("An event is answered by %d messages.", len(messages))
            if messages:
                self._answered()
