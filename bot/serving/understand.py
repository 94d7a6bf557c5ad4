"""Understands messages for a chat server: `python -m bot.serving.understand`, spoken to in lines of JSON.

`{"load": path}` loads a model in the place of the one before; `{"text": ..., "told": excerpt}` has it
understand a message.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from bot.serving import memory, quiet, standin
from bot.serving.errors import where
from bot.serving.lines import asked, own_stdout
from bot.settings import load_settings

if TYPE_CHECKING:
    from bot.serving.processor import ServedProcessor


def main() -> None:
    """Answers until stdin is closed."""
    gc.disable()  # until a model is there
    say = own_stdout()
    settings = load_settings()
    quiet.quieten()
    quiet.one_thread()
    standin.install(serving=True)
    quiet.log_to_stderr(settings.log_level, "understanding", settings.log_format)
    if os.getcwd() not in sys.path:  # where config.yml's classes are found
        sys.path.insert(0, os.getcwd())

    from rasa.core.channels.channel import UserMessage

    from bot.serving.excerpt import tracker_of
    from bot.serving.judge import load

    model: ServedProcessor | None = None
    for line in asked():
        try:
            if "load" in line:
                model = load(line["load"])
                model.warm_up()
                memory.keep()
                say({"loaded": True})
                continue
            assert model is not None  # noqa: S101 -- messages come after a model
            tracker = tracker_of(line["told"], model.domain)
            say({"parsed": model._parse_message_with_graph(UserMessage(line["text"]), tracker)})
        except Exception as error:  # without its words, which may be a visitor's
            say({"error": where(error)})


if __name__ == "__main__":
    main()
