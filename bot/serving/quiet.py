"""Keeps Rasa and its libraries from reporting home and from burying what matters under warnings."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import MutableMapping
from typing import Any

from bot import logs

_ENVIRONMENT = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "LOG_LEVEL_LIBRARIES": "ERROR",
}
"""What Rasa and its libraries read at their import. Values given from outside win, but for the telemetry."""

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

_FOR_DEVELOPERS_OF_LIBRARIES = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)

_KNOWN = (
    # The classifier answers retrieval intents itself (docs/architecture.md).
    "ResponseSelector",
    # Rasa 3 says this of every domain.
    "Slot auto-fill has been removed",
)

_PERSONAL = frozenset(
    {
        "text", "response_text", "user_text", "slot_values", "parse_data_text", "parse_data_entities",
        "prediction_events", "tracker_latest_message", "prefilled_slots", "message", "response",
        "slot_candidates", "rasa_event", "rasa_events", "tracker_states", "current_states", "old_states",
        "successes", "current_entity", "next_entity", "states", "entity", "token_text", "user_message",
        "json_message",
    }
)  # fmt: skip
"""The fields of Rasa's structured log lines that hold what a visitor wrote, as in rasa.utils.log_utils."""

_show = warnings.showwarning


def quieten() -> None:
    """Set this process up for Rasa; call it before Rasa is imported."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    warnings.showwarning = _show_what_matters


def one_thread() -> None:
    """Keep matrices of one message on one processor; call it before numpy is imported.

    They are so small that a second thread costs a server more, in waiting busily for the next, than it saves.
    """
    for name in _THREADS:
        os.environ.setdefault(name, "1")


def _show_what_matters(*args: Any, **kwargs: Any) -> None:
    """Shows a warning unless it is of no use to whoever runs this project.

    Done here and not with filters, because sanic and pyparsing put their own in front when imported.
    """
    message, category, filename = (str(args[0]), args[1], str(args[2]))
    if issubclass(category, _FOR_DEVELOPERS_OF_LIBRARIES) or filename.endswith("plotting.py"):
        return
    if not any(known in message for known in _KNOWN):
        _show(*args, **kwargs)


def log_to_stderr(level: str, process: str = "", form: str = logs.TEXT) -> None:
    """One line an event on stderr, from `level` on, for Python's loggers and for Rasa's structured ones."""
    import structlog

    number = logging.getLevelName(level)
    logs.set_up(process, level, form)
    logging.getLogger("rasa").setLevel(number)
    for noisy in ("apscheduler", "asyncio", "sanic.root", "engineio.server", "socketio.server", "matplotlib"):
        logging.getLogger(noisy).setLevel(max(number, logging.WARNING))
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            _without_personal,
            logs.with_turn,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=repr),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _without_personal(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """What a visitor wrote does not enter the logs."""
    return {name: value for name, value in event.items() if name not in _PERSONAL}
