"""Starts the chat server."""

from __future__ import annotations

import gc
import sys

from bot.serving import quiet, standin
from bot.serving.errors import StartError
from bot.settings import Settings, SettingsError, load_settings


def serve(settings: Settings) -> None:
    """Answer on the channels of credentials.yml until SIGTERM or Ctrl-C.

    Ends the process with one sentence and a non-zero status when it can't start.
    """
    gc.disable()  # until the model is there: nothing of what a start makes is thrown away
    quiet.quieten()
    quiet.one_thread()
    standin.install(serving=True)
    quiet.log_to_stderr(settings.log_level, "chat", settings.log_format)

    from rasa.shared.exceptions import RasaException

    from bot.serving import listen
    from bot.serving.app import build_app

    try:
        listen.run(build_app(settings), settings.host, settings.chat_port, "MILIA_CHAT_PORT")
    except (StartError, SettingsError, RasaException) as error:
        sys.exit(f"The chat server can't start. {error}")


if __name__ == "__main__":
    try:
        serve(load_settings())
    except SettingsError as error:
        sys.exit(str(error))
