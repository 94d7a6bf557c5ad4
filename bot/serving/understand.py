"""Understands messages for a chat server: `python -m bot.serving.understand`, spoken to in lines of JSON.

`{"load": path}` loads a model in the place of the one before; `{"text": ..., "told": excerpt}` has it
understand a message.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from bot.serving import memory
from bot.serving.child import begin
from bot.serving.errors import where
from bot.serving.lines import asked

if TYPE_CHECKING:
    from bot.serving.processor import ServedProcessor


def main() -> None:
    """Answers until stdin is closed."""
    gc.disable()  # until a model is there
    say, _ = begin("understanding")

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
