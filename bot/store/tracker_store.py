"""Rasa's tracker store, append-only: a turn costs the same whether it is the second or the two thousandth.

Rasa's SQL store reads and counts every event of the session for every message. This one writes one row a turn
with the new events only, keeps trackers in memory between turns, and never loads more than the latest turns,
beginning at a checkpoint of the slots. `save` returns when the turn is committed, or synced to the spool.
Nothing is ever overwritten: a conversation that could not be read goes on as a new one after the old one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    ConversationPaused,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot import metrics
from bot.logs import turn_of
from bot.settings import load_settings
from bot.store.plain import storable_id
from bot.store.recorder import Recorder, RecordLost, shared_recorder
from bot.store.store import Item, StoreUnavailable
from bot.store.turn import Turn
from bot.store.turn_codec import pack, pack_state, unpack, unpack_state

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MARK = "_stored_up_to"  # the attribute of a tracker that says what of it is stored


@dataclass(frozen=True)
class _Mark:
    """What of a conversation is stored.

    position: of the last turn; None when there is none.
    event: the last stored event; None when there is none.
    turns: since the last checkpoint; at `keep_turns` the next turn gets one.
    state: the checkpoint for the next turn, when it is due.
    loaded: turns that the tracker in memory holds.
    """

    position: int | None = None
    event: Event | None = None
    turns: int = 0
    state: bytes | None = None
    loaded: int = 0


class AppendTrackerStore(TrackerStore):
    """The tracker store for endpoints.yml: `type: bot.store.tracker_store.AppendTrackerStore`.

    keep_turns: a tracker holds at least this many of the latest turns, and at most twice as many.
    cache_size: conversations that are kept in memory between their turns.
    """

    def __init__(
        self,
        domain: Domain | None,
        event_broker: EventBroker | None = None,
        host: str | None = None,
        recorder: Recorder | None = None,
        keep_turns: int = 5,
        cache_size: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker)
        self.recorder = recorder or shared_recorder(load_settings())
        self.keep_turns = int(keep_turns)
        self.cache_size = int(cache_size)
        self._cache: OrderedDict[str, DialogueStateTracker] = OrderedDict()
        self._spooled: dict[str, list[Turn]] = {}  # turns of this process that only the spool holds
        self._spooled_lock = threading.Lock()
        self._beginning: set[str] = set()  # conversations that were looked for in vain and needn't be again
        self._abandoned: dict[str, tuple[Turn, Future[bool]]] = {}  # being written; who waited was cancelled
        self.recorder.on_stored.append(self._forget_spooled)

    @property
    def domain(self) -> Domain:
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        self._domain = domain or Domain.empty()
        self._cache.clear()  # trackers hold the slots of the domain they were made with

    # ------------------------------------------------------------ Rasa's methods

    @metrics.timed("storing")
    async def save(self, tracker: DialogueStateTracker) -> None:
        """Appends what is new in the tracker. Returns when it is durable."""
        key = storable_id(tracker.sender_id)
        await self._finish_abandoned(key)
        mark = await self._mark_of(key, tracker)
        new = _events_after(tracker, mark.event)
        if not new:
            self._keep(key, tracker, mark)
            return
        described = [event.as_dict() for event in new]
        if self.event_broker is not None:
            for event in described:
                self.event_broker.publish({"sender_id": tracker.sender_id, **event})
        position = max(time.time_ns(), (mark.position or 0) + 1)
        data = pack(described)
        turn = Turn(key, position, data, mark.state, _turn_id(tracker.sender_id, new))
        turns = 1 if mark.state else mark.turns + 1
        due = turns >= self.keep_turns
        stored = _Mark(position, new[-1], turns, self._state(tracker) if due else None, mark.loaded + 1)
        future = self.recorder.submit(turn)
        setattr(tracker, _MARK, stored)  # before waiting: a save that is cancelled is written all the same
        try:
            committed = await asyncio.wrap_future(future)
        except RecordLost:
            setattr(tracker, _MARK, mark)  # the next save tries these events again
            self._keep(key, tracker, mark)
            raise
        except asyncio.CancelledError:
            self._abandoned[key] = (turn, future)
            raise
        if not committed:
            self._remember_spooled(turn)
        if _is_new_session(new, tracker):
            stored = replace(stored, loaded=2 * self.keep_turns)
        self._keep(key, tracker, stored)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest turns of the latest session; the caller has the tracker to itself until it saves it."""
        key = storable_id(sender_id)
        await self._finish_abandoned(key)
        cached = self._cache.pop(key, None)
        if cached is not None and await self._is_current(key, getattr(cached, _MARK)):
            return cached
        try:
            turns = await self._read(lambda: self.recorder.store.last_turns(key, 2 * self.keep_turns))
        except StoreUnavailable:
            turns = self._spooled_turns(key)
            if not turns:
                raise
        else:
            turns = self._with_spooled(key, turns)
        self._remember_beginning(key, not turns)
        return self._tracker(sender_id, self._window(turns))

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The whole conversation, however long; the latest turns of it while the database is away.

        Raises:
            StoreUnavailable: the database is away, and the conversation isn't in memory.
        """
        key = storable_id(conversation_id)
        try:
            turns = await self._read(lambda: self.recorder.store.turns(key))
        except StoreUnavailable:
            if key not in self._cache:
                raise
            return self._cache[key]
        return self._tracker(conversation_id, self._with_spooled(key, turns), latest_session=False)

    async def exists(self, conversation_id: str) -> bool:
        key = storable_id(conversation_id)
        if self._spooled_turns(key):
            return True
        return await self._read(lambda: self.recorder.store.last_position(key)) is not None

    async def keys(self) -> Iterable[str]:
        keys = await self._read(self.recorder.store.conversations)
        with self._spooled_lock:
            return sorted({*keys, *self._spooled})

    async def delete(self, sender_id: str) -> None:
        """Removes a conversation (for a whole person there is `Store.erase_person`)."""
        key = storable_id(sender_id)
        self._cache.pop(key, None)
        with self._spooled_lock:
            self._spooled.pop(key, None)
        await self._read(lambda: self.recorder.spool.erase("", key))
        await self._read(lambda: self.recorder.store.delete_conversation(key))

    async def stream_events(self, tracker: DialogueStateTracker) -> None:
        """Nothing: `save` streams what is new."""

    # ------------------------------------------------------------ memory

    def _keep(self, key: str, tracker: DialogueStateTracker, mark: _Mark) -> None:
        """Keeps the tracker for the next turn, unless it has grown and is better loaded anew, short."""
        setattr(tracker, _MARK, mark)
        if mark.loaded >= 2 * self.keep_turns and not self.recorder.database_is_down:
            self._cache.pop(key, None)
            return
        self._cache[key] = tracker
        self._cache.move_to_end(key)
        while len(self._cache) > self.cache_size:
            self._cache.popitem(last=False)

    def _remember_beginning(self, key: str, begins: bool) -> None:
        if not begins:
            self._beginning.discard(key)
            return
        if len(self._beginning) >= self.cache_size:
            self._beginning.clear()
        self._beginning.add(key)

    async def _is_current(self, key: str, mark: _Mark) -> bool:
        """Whether nobody else has written to (or erased) the conversation since."""
        if self.recorder.database_is_down:
            return True
        try:
            last = await self._read(lambda: self.recorder.store.last_position(key))
        except StoreUnavailable:
            return True
        if last == mark.position:
            return True
        newest = max((turn.position for turn in self._spooled_turns(key)), default=0)
        return newest == mark.position and (last or 0) < newest

    async def _finish_abandoned(self, key: str) -> None:
        """Waits for a turn that is being written although its save was cancelled."""
        if key in self._abandoned:
            turn, future = self._abandoned[key]
            with contextlib.suppress(RecordLost):  # has been logged
                if not await asyncio.wrap_future(future):  # this may be cancelled, too
                    self._remember_spooled(turn)
            self._abandoned.pop(key, None)

    async def _mark_of(self, key: str, tracker: DialogueStateTracker) -> _Mark:
        """What of this tracker is stored; looked up when it was not made here."""
        mark: _Mark | None = getattr(tracker, _MARK, None)
        if mark is not None:
            return mark
        if key in self._beginning:
            self._beginning.discard(key)
            return _Mark()
        cached = self._cache.get(key)
        if cached is not None:
            return getattr(cached, _MARK)
        try:
            turns = self._with_spooled(key, await self._read(lambda: self.recorder.store.last_turns(key, 1)))
        except StoreUnavailable:
            turns = self._spooled_turns(key)[-1:]
        if not turns:
            return _Mark()
        events = _events(turns[-1:])
        return _Mark(turns[-1].position, events[-1] if events else None, loaded=2 * self.keep_turns)

    # ------------------------------------------------------------ reading

    async def _read(self, work: Callable[[], T]) -> T:
        """Runs a query where it can't hold up the event loop; not while the database is known to be down."""
        if self.recorder.database_is_down:
            raise StoreUnavailable("known to be down")
        try:
            if self.recorder.store.reads_at_once:
                return work()
            return await asyncio.get_running_loop().run_in_executor(None, work)
        except StoreUnavailable:
            self.recorder.database_failed()
            raise

    def _window(self, turns: list[Turn]) -> list[Turn]:
        """The latest turns, beginning at a checkpoint if the conversation is longer."""
        if len(turns) < 2 * self.keep_turns:
            return turns
        latest = len(turns) - self.keep_turns
        start = next((i for i in range(latest, -1, -1) if turns[i].state), 0)
        return turns[start:]

    def _tracker(
        self, sender_id: str, turns: list[Turn], latest_session: bool = True
    ) -> DialogueStateTracker | None:
        if not turns:
            return None
        events = _events(turns)
        if latest_session:
            events = _latest_session(events)
        if latest_session and turns[0].state and not any(isinstance(e, SessionStarted) for e in events):
            events = [*_restoring(unpack_state(turns[0].state), events[0].timestamp), *events]
        tracker = DialogueStateTracker.from_events(
            sender_id, events, self.domain.slots, max_event_history=self.max_event_history
        )
        since = next((n for n, turn in enumerate(reversed(turns), start=1) if turn.state), len(turns))
        state = self._state(tracker) if since >= self.keep_turns else None
        mark = _Mark(turns[-1].position, events[-1] if events else None, since, state, len(turns))
        setattr(tracker, _MARK, mark)
        return tracker

    def _state(self, tracker: DialogueStateTracker) -> bytes:
        """What has to be known of the past to go on from here."""
        initial = {slot.name: slot.initial_value for slot in self.domain.slots}
        slots = {
            name: slot.value
            for name, slot in tracker.slots.items()
            if name not in initial or slot.value != initial[name]
        }
        return pack_state({"slots": slots, "loop": tracker.active_loop_name, "paused": tracker.is_paused()})

    # ------------------------------------------------------------ what only the spool holds

    def _remember_spooled(self, turn: Turn) -> None:
        with self._spooled_lock:
            self._spooled.setdefault(turn.sender_id, []).append(turn)

    def _spooled_turns(self, key: str) -> list[Turn]:
        with self._spooled_lock:
            return list(self._spooled.get(key, ()))

    def _with_spooled(self, key: str, turns: list[Turn]) -> list[Turn]:
        """The stored turns and those still in the spool, in order."""
        if key not in self._spooled:
            return turns
        if self.recorder.spool.is_empty():  # all are stored by now, or were erased
            with self._spooled_lock:
                self._spooled.pop(key, None)
            return turns
        answered = {turn.turn_id for turn in turns if turn.turn_id}  # perhaps by another server
        spooled = [turn for turn in self._spooled_turns(key) if turn.turn_id not in answered]
        merged = {turn.position: turn for turn in (*spooled, *turns)}
        return [merged[position] for position in sorted(merged)]

    def _forget_spooled(self, stored: Sequence[Item]) -> None:
        with self._spooled_lock:
            for item in stored:
                if isinstance(item, Turn) and item.sender_id in self._spooled:
                    left = [turn for turn in self._spooled[item.sender_id] if turn.position != item.position]
                    self._spooled[item.sender_id] = left
                    if not left:
                        del self._spooled[item.sender_id]


def behind(store: TrackerStore) -> TrackerStore:
    """A store without Rasa's wrapper, which gives an empty conversation for one that can't be read."""
    return getattr(store, "_tracker_store", store)


# ------------------------------------------------------------ events


@cache
def _kind(name: str) -> type[Event]:
    """The class of an event; Rasa searches all of them each time."""
    return Event.resolve_by_type(name)


def _events(turns: Sequence[Turn]) -> list[Event]:
    events = (_kind(event["event"])._from_parameters(event) for turn in turns for event in unpack(turn.data))
    return [event for event in events if event is not None]


def _turn_id(sender_id: str, new: Sequence[Event]) -> str | None:
    """Names the message that these events answer; None when there is none, or more than one."""
    messages = {e.message_id for e in new if isinstance(e, UserUttered) and e.message_id}
    return turn_of(sender_id, *messages) if len(messages) == 1 else None


def _stamp(event: Event) -> tuple[str, int]:
    return event.type_name, round(event.timestamp * 1e6)


def _events_after(tracker: DialogueStateTracker, last: Event | None) -> list[Event]:
    """The tracker's events after the one that was stored last; all of them when it isn't among them."""
    if last is None:
        return list(tracker.events)
    new: list[Event] = []
    for event in reversed(tracker.events):
        if event is last or (_stamp(event) == _stamp(last) and event == last):
            return new[::-1]
        new.append(event)
    return new[::-1]


def _latest_session(events: list[Event]) -> list[Event]:
    """The events from the latest session start on (with the action that started it)."""
    for index in range(len(events) - 1, 0, -1):
        if isinstance(events[index], SessionStarted):
            before = events[index - 1]
            return events[index - 1 if isinstance(before, ActionExecuted) else index :]
    return events


def _is_new_session(new: Sequence[Event], tracker: DialogueStateTracker) -> bool:
    """Whether a session began while there were turns of an older one in the tracker."""
    return any(isinstance(event, SessionStarted) for event in new) and len(tracker.events) > len(new) + 2


def _restoring(state: dict[str, Any], at: float) -> list[Event]:
    """Events that bring a new tracker into the state of a checkpoint."""
    events: list[Event] = [SlotSet(name, value, at) for name, value in state["slots"].items()]
    if state["loop"]:
        events.append(ActiveLoop(state["loop"], at))
    if state["paused"]:
        events.append(ConversationPaused(at))
    return [*events, ActionExecuted(ACTION_LISTEN_NAME, timestamp=at)]
