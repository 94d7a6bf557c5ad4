"""Runs the staff app: its pages and what it does by itself, until told to stop."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Any

import waitress

from bot import logs, metrics
from bot.notify import Notifier
from bot.publishing.work import PublishWork
from bot.settings import Settings
from bot.staff_work import StaffWork
from bot.store.spool import Spool
from bot.store.watch import looked_up
from bot.web.app import create_app, make_desk

THREADS = 8


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    logs.set_up("staff", settings.log_level, settings.log_format)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue of requests is no news
    desk = make_desk(settings)
    app = create_app(settings, desk)
    work = StaffWork(desk.store, desk.review, Notifier(desk.store, settings, desk.zone), settings, desk.today)
    signal.signal(signal.SIGTERM, _stop)
    publishing = PublishWork(desk.store, settings)
    work.start()
    publishing.start()
    metrics.serve(settings, 2, looked_up(desk.store, Spool(settings.spool_dir)))
    try:
        waitress.serve(
            app, host=settings.staff_host, port=settings.staff_port, threads=THREADS, ident=None,
            clear_untrusted_proxy_headers=not settings.staff_proxies,
        )  # fmt: skip
    finally:
        work.stop()
        publishing.stop()
        desk.trial.stop()
        desk.clinic.stop()
        desk.answers.stop()
        desk.store.close()


def _stop(number: int, frame: Any) -> None:
    sys.exit(0)
