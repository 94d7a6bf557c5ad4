"""Everything of the Messenger channel that runs in a server, put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from rasa.core.tracker_store import TrackerStore

from bot.channels.messenger import limits
from bot.channels.messenger.deletion import DeletionDesk
from bot.channels.messenger.dialogue import Dialogue, renderer_for
from bot.channels.messenger.events import Delivery
from bot.channels.messenger.graph import Graph
from bot.channels.messenger.inbox import InboxCrew
from bot.channels.messenger.outbox import OutboxCrew
from bot.channels.messenger.staff import StaffReplies
from bot.channels.messenger.workers import Chore, Gathered, Threads
from bot.channels.turn import OnNewMessage, Turns
from bot.model import new_id, utc_now
from bot.settings import Settings
from bot.store.messenger_deletions import Deletions
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_lanes import LEASE
from bot.store.messenger_model import CHANNEL, Deletion, Echo, InboxEvent
from bot.store.messenger_outbox import Outbox
from bot.store.recorder import shared_recorder
from bot.store.store import REFUSED, StoreUnavailable
from bot.texts import load_texts

logger = logging.getLogger(__name__)

KEEP = timedelta(days=30)
"""How long is remembered which events have been answered and which messages sent."""

_DELETING = "Deletion"


class Messenger:
    """The inbox, the outbox and those who work on them. `start` and `stop` go with the server."""

    def __init__(self, settings: Settings, on_new_message: OnNewMessage) -> None:
        self._settings = settings
        self._on_new_message = on_new_message
        self._recorder = shared_recorder(settings)
        store = self._recorder.store
        pause = timedelta(hours=settings.messenger_pause_hours)
        self._owner = new_id()
        self.inbox = Inbox(store, lambda sender_id: settings.person(CHANNEL, sender_id).key, pause=pause)
        self.outbox = Outbox(store)
        self.deletions = Deletions(store)
        self.turns = Turns(CHANNEL, settings, load_texts(settings))
        self._door = Threads(1, "messenger-door")
        self._storing = Gathered(self._store)
        # SQLite has one writer: more would only queue for it, and in front of the webhook.
        self._threads = Threads(1 if store.reads_at_once else 4, "messenger")
        self._graph = Graph(settings)
        self._inbox_crew: InboxCrew | None = None
        self._outbox_crew: OutboxCrew | None = None
        self._chores: list[Chore] = []

    # ------------------------------------------------------------ what comes in

    async def receive(self, delivery: Delivery) -> None:
        """Returns when everything is stored.

        Raises:
            StoreUnavailable: it is not; Meta will bring it again.
        """
        await self._storing.ask(delivery)
        if delivery.events and self._inbox_crew:
            self._inbox_crew.wake(self.inbox.settle.total_seconds())
        if delivery.echoes and self._outbox_crew:
            self._outbox_crew.wake()

    async def _store(self, deliveries: Sequence[Delivery]) -> None:
        """Stores what several requests have brought, in one transaction."""
        events = [event for delivery in deliveries for event in delivery.events]
        echoes = [echo for delivery in deliveries for echo in delivery.echoes]
        try:
            await self._door.run(self.inbox.receive, events, echoes)
        except REFUSED:
            await self._store_one_by_one(events, echoes)

    async def _store_one_by_one(self, events: Sequence[InboxEvent], echoes: Sequence[Echo]) -> None:
        """Stores what the database takes; an event that it refuses doesn't cost the others."""
        for item in (*events, *echoes):
            only = ([item], []) if isinstance(item, InboxEvent) else ([], [item])
            try:
                await self._door.run(self.inbox.receive, *only)
            except REFUSED as error:  # anything else may pass, and Meta is to bring the events again
                logger.error("An event was refused by the database (%s).", type(error).__name__)

    async def receive_deletion(self, deletion: Deletion) -> None:
        """Returns when the request is stored. Raises StoreUnavailable."""
        await self._door.run(self.deletions.add, deletion)
        for chore in self._chores:
            if chore.name == _DELETING:
                chore.wake()

    async def find_deletion(self, code: str) -> Deletion | None:
        return await self._door.run(self.deletions.get, code)

    # ------------------------------------------------------------ with the server

    async def start(self, tracker_store: TrackerStore) -> None:
        """Goes on where the last server stopped, or was stopped."""
        warning = limits.version_warning(self._settings.messenger_graph_version, utc_now().date())
        if warning:
            logger.warning(warning)
        dialogue = Dialogue(self._settings, self.turns, self._on_new_message, tracker_store, self._recorder)
        sending = OutboxCrew(self.outbox, self._owner, self._threads, self._graph)
        answering = InboxCrew(self.inbox, self._owner, self._threads, dialogue, sending.wake)
        staff = StaffReplies(
            self._recorder.store,
            self.inbox,
            self.outbox,
            lambda conversation: renderer_for(self.turns, conversation),
            bool(self._settings.messenger_human_agent),
        )
        desk = DeletionDesk(
            self._settings, self.deletions, self.inbox, self._owner, self._threads, self._graph, self._erase
        )

        async def renew() -> None:
            answered, sent_to = answering.lanes, sending.lanes
            if answered or sent_to:
                await self._threads.run(self.inbox.renew, self._owner, answered, sent_to)

        async def hand_over() -> None:
            if await self._threads.run(staff.hand_over):
                sending.wake()

        async def purge() -> None:
            await self._threads.run(self.inbox.purge, utc_now() - KEEP)

        self._inbox_crew, self._outbox_crew = answering, sending
        self._chores = [
            Chore(_DELETING, 10.0, desk.work_off),
            Chore("Keeping the lanes", LEASE.total_seconds() / 3, renew),
            Chore("Handing over staff replies", 2.0, hand_over),
            Chore("Tidying up", 3600.0, purge),
        ]
        answering.start()
        sending.start()
        for chore in self._chores:
            chore.start()

    async def stop(self) -> None:
        """Finishes what is under way; the rest is for the next server."""
        await asyncio.gather(*(crew.stop() for crew in (self._inbox_crew, self._outbox_crew) if crew))
        for chore in self._chores:
            chore.stop()
        await self._graph.close()
        with suppress(StoreUnavailable):  # then the leases end by themselves
            await self._threads.run(self.inbox.leave, self._owner)
        self._threads.close()

    def close(self) -> None:
        """For when no more requests come: until then, what comes in is stored."""
        self._door.close()

    def _erase(self, conversation: str) -> None:
        """Rare, so that what it takes is loaded only then."""
        from bot.privacy import erase_person
        from bot.review_model import SYSTEM
        from bot.store.staff_store import StaffStore

        person = self._settings.person(CHANNEL, conversation)
        store = StaffStore(self._settings.store_url)
        try:
            erase_person(store, person, SYSTEM, self._recorder.spool)
        finally:
            store.close()
