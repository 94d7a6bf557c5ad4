"""Starts the action server, which never imports Rasa."""

from __future__ import annotations

import sys

from bot import metrics
from bot.serving import quiet
from bot.serving.action_token import wanted_token
from bot.serving.errors import StartError
from bot.settings import Settings, SettingsError, load_settings
from bot.store.recorder import shared_recorder


def serve(settings: Settings) -> None:
    """Run custom actions for chat servers until SIGTERM or Ctrl-C.

    Ends the process with one sentence and a non-zero status when it can't start.
    """
    quiet.quieten()
    quiet.one_thread()
    quiet.log_to_stderr(settings.log_level, "actions", settings.log_format)

    from bot import scrub
    from bot.serving import listen
    from bot.serving.action_app import build_app

    if settings.actions_url:  # else chat servers run the actions themselves, and nobody waits for this one
        scrub.warm_up()
    metrics.serve(settings, 1)
    try:
        listen.run(
            build_app(token=wanted_token(settings), recorder=shared_recorder(settings)),
            settings.actions_host,
            settings.actions_port,
            "MILIA_ACTIONS_PORT",
        )
    except (StartError, SettingsError) as error:
        sys.exit(f"The action server can't start. {error}")


if __name__ == "__main__":
    try:
        serve(load_settings())
    except SettingsError as error:
        sys.exit(str(error))
