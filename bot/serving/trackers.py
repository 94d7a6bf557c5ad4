"""What Rasa's trackers work out many times for every message, in a fraction of its time, with its results."""

from __future__ import annotations

import copy
import enum

from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    Event,
    Restarted,
    SessionStarted,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker


class Effect(enum.Enum):
    """What an event does to the ones before it."""

    NONE = enum.auto()
    BEGINS_ANEW = enum.auto()
    UNDOES_ACTION = enum.auto()
    UNDOES_MESSAGE = enum.auto()
    MAY_BE_LOOP = enum.auto()


_effects: dict[type, Effect] = {}


def _effect(kind: type) -> Effect:
    """Looked up by class: asking each event whether it is of a class is what takes Rasa's own so long."""
    effect = _effects.get(kind)
    if effect is None:
        effect = _effects[kind] = _worked_out(kind)
    return effect


def _worked_out(kind: type) -> Effect:
    if issubclass(kind, (Restarted, SessionStarted)):
        return Effect.BEGINS_ANEW
    if issubclass(kind, ActionReverted):
        return Effect.UNDOES_ACTION
    if issubclass(kind, UserUtteranceReverted):
        return Effect.UNDOES_MESSAGE
    return Effect.MAY_BE_LOOP if issubclass(kind, ActionExecuted) else Effect.NONE


def applied_events(tracker: DialogueStateTracker) -> list[Event]:
    """In the place of `DialogueStateTracker.applied_events`: the events without those that were undone."""
    loops = {event.name for event in tracker.events if type(event) is ActiveLoop and event.name}
    applied: list[Event] = []
    for event in tracker.events:
        effect = _effect(type(event))
        if effect is Effect.BEGINS_ANEW:
            applied = []
        elif effect is Effect.UNDOES_ACTION:
            tracker._undo_till_previous(ActionExecuted, applied)
        elif effect is Effect.UNDOES_MESSAGE:
            tracker._undo_till_previous(UserUttered, applied)
            tracker._undo_till_previous(ActionExecuted, applied)
        elif (
            effect is Effect.MAY_BE_LOOP
            and event.action_name in loops
            and not tracker._first_loop_execution_or_unhappy_path(event.action_name, applied)
        ):
            tracker._undo_till_previous_loop_execution(event.action_name, applied)
        else:
            applied.append(event)
    return applied


_OURS = ("_replay", "_stored_up_to")
"""Attributes that bot/serving/rules.py and bot/store/tracker_store.py give to a tracker, for it alone."""

_WITHOUT = {"sender_source": None, "model_id": None, "assistant_id": None}
"""Attributes that a copy of Rasa's begins without."""


def duplicate(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """In the place of `DialogueStateTracker.copy`, which replays the conversation before every action."""
    twin: DialogueStateTracker = object.__new__(type(tracker))
    kept = {name: value for name, value in tracker.__dict__.items() if name not in _OURS}
    twin.__dict__.update(kept, **_WITHOUT)
    # What a tracker changes in place; all else it replaces.
    twin.events = copy.copy(tracker.events)
    twin.slots = copy.copy(tracker.slots)
    for name, slot in tracker.slots.items():
        twin.slots[name] = copy.copy(slot)
    twin.active_loop = copy.copy(tracker.active_loop)
    return twin
