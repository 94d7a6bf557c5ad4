"""The load generator and what is measured of a server, on the one that starts at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.speed.contestants import Floor
from benchmarks.speed.measures import FailedMessages, Round


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def test_a_round_measures_what_there_is_to_measure(floor: Floor) -> None:
    figures = Round(floor, scale=0.01).measure()
    assert figures["answered"] == 1.0
    assert figures["throughput_cold"] > 0
    assert 0 < figures["half_median"] <= figures["half_p99"]
    assert 10e6 < figures["memory"] < 500e6
    assert "database" not in figures


def test_messages_that_fail_are_not_measured(floor: Floor) -> None:
    floor.visitors = "website"  # a channel that a bare handler has not
    with pytest.raises(FailedMessages):
        Round(floor, scale=0.01).measure()
