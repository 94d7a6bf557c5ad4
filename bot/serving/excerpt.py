"""What of a conversation its next message is understood by, small enough to be told to another process."""

from __future__ import annotations

from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

MESSAGES = 5
"""Messages back that are told of. The components look back on three (`look_back` in config.yml)."""

_UNDERSTOOD = ("intent", "response_selector", "clauses")

Excerpt = dict[str, Any]


def excerpt(tracker: DialogueStateTracker) -> Excerpt:
    """The last messages, what each was taken for, the actions since, and what the conversation holds."""
    events: list[list[Any]] = []
    messages = 0
    for event in reversed(tracker.events):
        if isinstance(event, ActionExecuted):
            events.append([event.action_name])
        elif isinstance(event, UserUttered):
            understood = event.parse_data
            events.append([event.text, {key: understood[key] for key in _UNDERSTOOD if key in understood}])
            messages += 1
            if messages == MESSAGES:
                break
    filled = {name: slot.value for name, slot in tracker.slots.items() if slot.value is not None}
    return {"events": events[::-1], "slots": filled, "loop": tracker.active_loop_name}


def tracker_of(told: Excerpt, domain: Domain) -> DialogueStateTracker:
    """A tracker of which the components understand the next message as of the one that was told of."""
    events: list[Event] = [SlotSet(name, value) for name, value in told["slots"].items()]
    for said, *understood in told["events"]:
        events.append(UserUttered(said, parse_data=understood[0]) if understood else ActionExecuted(said))
    if told["loop"]:
        events.append(ActiveLoop(told["loop"]))
    return DialogueStateTracker.from_events("told", events, domain.slots)
