"""The events that count are those that Rasa itself finds; a copied tracker is what Rasa's own copy is."""

import copy

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, SlotSet
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from bot.serving import trackers
from tests.serving.conversations import conversation

RASAS = DialogueStateTracker.applied_events
RASAS_COPY = DialogueStateTracker.copy


@pytest.mark.parametrize("seed", range(20))
def test_applied_events_are_rasas_own(seed: int) -> None:
    left_out = 0
    for tracker in conversation(seed, Domain.empty()):
        expected = RASAS(tracker)
        actual = trackers.applied_events(tracker)
        assert [id(event) for event in actual] == [id(event) for event in expected]
        left_out += len(actual) < len(tracker.events)
    assert left_out


@pytest.mark.parametrize("seed", range(20))
def test_a_copy_is_rasas_own(seed: int) -> None:
    for tracker in conversation(seed, Domain.empty()):
        expected, actual = RASAS_COPY(tracker), trackers.duplicate(tracker)
        assert actual.__dict__.keys() == expected.__dict__.keys()
        assert actual.current_state(EventVerbosity.ALL) == expected.current_state(EventVerbosity.ALL)
        assert actual.events.maxlen == expected.events.maxlen


def test_what_happens_to_a_copy_does_not_happen_to_the_original() -> None:
    slot = TextSlot("name", mappings=[{"type": "custom"}])
    tracker = DialogueStateTracker.from_events("x", [ActiveLoop("form")], [slot])
    tracker.model_id = "m"
    before = copy.deepcopy(tracker.current_state(EventVerbosity.ALL))
    twin = trackers.duplicate(tracker)
    twin.update(SlotSet("name", "Jane"))
    twin.interrupt_loop(is_interrupted=True)
    twin.update(ActiveLoop(None))
    assert tracker.current_state(EventVerbosity.ALL) == before
    assert twin.get_slot("name") == "Jane"
    assert twin.model_id is None
