"""A chat server whose clock jumps: a day on at SIGUSR1, and back at SIGUSR2."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import bot.model

DAY = 24 * 60 * 60
_offset = 0
_seconds, _nanoseconds = time.time, time.time_ns


def _jump(number: int, _: Any) -> None:
    global _offset
    _offset = DAY if number == signal.SIGUSR1 else 0


def _utc_now() -> datetime:
    return datetime.now(timezone.utc) + timedelta(seconds=_offset)


time.time = lambda: _seconds() + _offset
time.time_ns = lambda: _nanoseconds() + _offset * 10**9
bot.model.utc_now = _utc_now  # before anybody else imports it

if __name__ == "__main__":
    from bot.serving.server import serve
    from bot.settings import load_settings

    signal.signal(signal.SIGUSR1, _jump)
    signal.signal(signal.SIGUSR2, _jump)
    serve(load_settings())
