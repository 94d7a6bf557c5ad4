"""Limits let as much through as they say, also when the clock was changed."""

from __future__ import annotations

import time

import pytest
from limits import RateLimitItemPerMinute

from bot.rates import Rates

DAY = 24 * 60 * 60


def test_so_many_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    rates, limit, now = Rates(), RateLimitItemPerMinute(2), time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    assert [rates.hit(limit, "a") for _ in range(3)] == [True, True, False]
    assert rates.hit(limit, "b") and not rates.allows(limit, "a")
    assert 0 < rates.seconds_left(limit, "a") <= 60


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_is_changed_shuts_nobody_out(monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    rates, limit, now = Rates(), RateLimitItemPerMinute(2), time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    assert [rates.hit(limit, "a") for _ in range(3)] == [True, True, False]
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert [rates.hit(limit, "a") for _ in range(3)] == [True, True, False]
