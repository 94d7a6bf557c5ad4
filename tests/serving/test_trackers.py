"""The events that count are those that Rasa itself finds."""

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving import trackers
from tests.serving.conversations import conversation

RASAS = DialogueStateTracker.applied_events


@pytest.mark.parametrize("seed", range(20))
def test_applied_events_are_rasas_own(seed: int) -> None:
    left_out = 0
    for tracker in conversation(seed, Domain.empty()):
        expected = RASAS(tracker)
        actual = trackers.applied_events(tracker)
        assert [id(event) for event in actual] == [id(event) for event in expected]
        left_out += len(actual) < len(tracker.events)
    assert left_out
