"""How a process begins that has Rasa work for another one and is spoken to in lines of JSON."""

from __future__ import annotations

import os
import sys

from bot.serving import quiet, standin
from bot.serving.lines import Say, own_stdout
from bot.settings import Settings, load_settings


def begin(process: str) -> tuple[Say, Settings]:
    """Sets it up, before Rasa is imported. `process` is what its log lines call it."""
    say = own_stdout()
    settings = load_settings()
    quiet.quieten()
    quiet.one_thread()
    standin.install(serving=True)
    quiet.log_to_stderr(settings.log_level, process, settings.log_format)
    if os.getcwd() not in sys.path:  # where config.yml's classes are found
        sys.path.insert(0, os.getcwd())
    return say, settings
