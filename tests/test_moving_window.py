"""Windows count what the limit says, and keep nothing that no longer counts."""

from __future__ import annotations

import time

import pytest

from bot.moving_window import MovingWindows

MINUTE = 60


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_each_thing_counts_for_a_minute_of_its_own(clock: Clock) -> None:
    windows = MovingWindows()
    assert windows.acquire_entry("a", 2, MINUTE)
    clock.now += 40
    assert windows.acquire_entry("a", 2, MINUTE)
    assert not windows.acquire_entry("a", 2, MINUTE)
    clock.now += 21
    assert windows.acquire_entry("a", 2, MINUTE)
    assert not windows.acquire_entry("a", 2, MINUTE)
    assert windows.get_moving_window("a", 2, MINUTE) == (1_000_040, 2)


def test_several_at_once_are_counted_all_or_not_at_all(clock: Clock) -> None:
    windows = MovingWindows()
    assert windows.acquire_entry("a", 3, MINUTE, amount=2)
    assert not windows.acquire_entry("a", 3, MINUTE, amount=2)
    assert windows.acquire_entry("a", 3, MINUTE)


def test_keys_that_no_longer_count_are_dropped(clock: Clock) -> None:
    windows = MovingWindows()
    for number in range(100):
        windows.acquire_entry(f"visitor {number}", 10, MINUTE)
    clock.now += MINUTE + 1
    for _ in range(60):
        windows.acquire_entry("one who stays", 1000, MINUTE)
    assert len(windows) == 1


def test_a_key_that_is_asked_for_in_vain_is_not_kept(clock: Clock) -> None:
    windows = MovingWindows()
    assert windows.get_moving_window("nobody", 2, MINUTE) == (1_000_000, 0)
    assert len(windows) == 0
    windows.acquire_entry("a", 1, MINUTE)
    windows.clear("a")
    assert windows.acquire_entry("a", 1, MINUTE)
