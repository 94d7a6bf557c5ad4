"""Sends what waits in the outbox: in order for each person, again where that helps, never knowingly twice."""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import Any

from bot import logs, metrics
from bot.channels.messenger import limits
from bot.channels.messenger.events import METADATA_PREFIX
from bot.channels.messenger.graph import Graph, GraphError, Refused, Unsure
from bot.channels.messenger.throttle import Throttle
from bot.channels.messenger.workers import Crew, Threads
from bot.model import utc_now
from bot.store.messenger_lanes import LEASE
from bot.store.messenger_model import OutboxMessage
from bot.store.messenger_outbox import Outbox

logger = logging.getLogger(__name__)

AT_ONCE = 48
FEW_ATTEMPTS = 8
"""A minute and a half; a server that died in between counts as one, too."""
MOST_ATTEMPTS = 20
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0


class OutboxCrew(Crew[OutboxMessage]):
    """Those who send. owner: this server, for the leases."""

    def __init__(
        self,
        outbox: Outbox,
        owner: str,
        threads: Threads,
        graph: Graph,
        first_wait: float = FIRST_WAIT,
        throttle: Throttle | None = None,
    ) -> None:
        super().__init__("outbox", threads, lambda room: outbox.claim(owner, room), self._send_all, AT_ONCE)
        self._outbox = outbox
        self._owner = owner
        self._graph = graph
        self._first_wait = first_wait
        self._throttle = throttle or Throttle(limits.SENDS_PER_SECOND)
        self._dead_tokens: set[str] = set()

    async def _send_all(self, first: OutboxMessage) -> None:
        message: OutboxMessage | None = first
        while message is not None:
            if self.stopping:  # marked as being sent, but isn't
                await self._threads.run(self._outbox.retry, message, self._owner, timedelta(0), "")
                return
            with logs.turn(message.id[: logs.DIGITS]):
                message = await self._send(message)

    async def _send(self, message: OutboxMessage) -> OutboxMessage | None:
        """Sends one message; the next one that may be sent now."""
        run, outbox, owner = self._threads.run, self._outbox, self._owner
        await self._throttle.turn(message.page)
        if message.taken_at is None or utc_now() - message.taken_at > LEASE / 2:
            await run(outbox.check, message, owner)  # this process may have been stopped for long
        try:
            await self._graph.send(message.page, body_of(message))
        except GraphError as error:
            problem = str(error)
            if isinstance(error, Refused) or message.attempts >= _most_attempts(error):
                self._report(message, error)
                metrics.SENDS.labels("given_up").inc()
                return await run(outbox.failed, message, owner, problem)
            if isinstance(error, Unsure):
                logger.info("A message may have been sent; waiting for its echo. %s", problem)
                metrics.SENDS.labels("unsure").inc()
                return await run(outbox.unsure, message, owner, problem)
            wait = self._wait_after(message.attempts)
            if error.code in limits.TOO_MANY_CALLS:
                self._throttle.pause(message.page, wait)
            logger.info("A message will be sent again in %.1f s. %s", wait, problem)
            metrics.SENDS.labels("again").inc()
            return await run(outbox.retry, message, owner, timedelta(seconds=wait), problem)
        self._dead_tokens.discard(message.page)
        metrics.SENDS.labels("sent").inc()
        logger.info("A message is sent.")
        return await run(outbox.sent, message, owner)

    def _wait_after(self, attempts: int) -> float:
        """Longer after every attempt, and never the same for two messages."""
        longest = min(LONGEST_WAIT, self._first_wait * 2 ** (attempts - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311 - to spread calls, not to keep a secret

    def _report(self, message: OutboxMessage, error: GraphError) -> None:
        if error.code == limits.TOKEN_DEAD:
            if message.page not in self._dead_tokens:
                logger.error(
                    "Facebook refuses the token of Page %s: make a new one, set MILIA_MESSENGER_PAGE_TOKENS "
                    "and start again. Until then nobody gets an answer there.",
                    message.page,
                )
            self._dead_tokens.add(message.page)
        elif error.code in {limits.WINDOW_CLOSED, limits.PERSON_UNAVAILABLE}:
            logger.info("A message could not be delivered. %s", error)
        else:
            logger.warning("A message was given up. %s", error)


def body_of(message: OutboxMessage) -> dict[str, Any]:
    """The call that sends a message. Its echo will come back with the metadata."""
    body: dict[str, Any] = {
        "recipient": {"id": message.psid},
        "messaging_type": "MESSAGE_TAG" if message.tag else "RESPONSE",
        "message": {**message.message, "metadata": METADATA_PREFIX + message.id},
    }
    return {**body, "tag": message.tag} if message.tag else body


def _most_attempts(error: GraphError) -> int:
    return FEW_ATTEMPTS if getattr(error, "few", False) else MOST_ATTEMPTS
