"""Conversations in which anything may have happened, for holding replacements against Rasa's own."""

import random
from collections.abc import Iterator

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActionReverted,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

INTENTS = ("greet", "price", "call", "stop", "unknown")


def some_events(chance: random.Random) -> list[Event]:
    """What might happen next in a conversation, sensible or not."""
    said = UserUttered("hm", {"name": chance.choice(INTENTS)})
    listens, form = ActionExecuted("action_listen"), ActionExecuted("call_form")
    replies = [DefinePrevUserUtteredFeaturization(False), ActionExecuted("utter_price"), BotUttered("No.")]
    slots = [SlotSet("number", chance.choice(["1", None])), SlotSet("member", chance.choice([True, None]))]
    anything: list[tuple[int, list[Event]]] = [
        (12, [listens, said]),
        (4, [listens, said, *replies]),
        (4, [form, ActiveLoop("call_form"), SlotSet("requested_slot", "number"), listens, said]),
        (3, [form]),
        (3, [ActionExecutionRejected("call_form")]),
        (2, [form, ActiveLoop(None), SlotSet("requested_slot", None)]),
        (2, [ActionExecuted("action_deactivate_loop"), ActiveLoop(None)]),
        (4, [ActionExecuted("utter_price")]),
        (2, slots),
        (1, [UserUtteranceReverted()]),
        (1, [ActionReverted()]),
        (1, [Restarted()]),
        (1, [ActionExecuted("action_session_start"), SessionStarted()]),
    ]
    return chance.choices([events for _, events in anything], [weight for weight, _ in anything])[0]


def conversation(seed: int, domain: Domain) -> Iterator[DialogueStateTracker]:
    """The same conversation after each thing that happens in it."""
    chance = random.Random(seed)
    tracker = DialogueStateTracker.from_events("visitor", [], slots=domain.slots)
    for _ in range(40):
        for event in some_events(chance):
            tracker.update(event)
        yield tracker
