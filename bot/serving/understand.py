"""Understands messages for a chat server: `python -m bot.serving.understand`, spoken to in lines of JSON.

`{"load": path}` loads a model in the place of the one before; `{"text": ..., "told": excerpt}` has it
understand a message. Those that wait are understood together.
"""

from __future__ import annotations

import gc
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bot.serving import memory
from bot.serving.child import begin
from bot.serving.errors import where
from bot.serving.lines import asked_together

if TYPE_CHECKING:
    from bot.serving.processor import ServedProcessor

AT_ONCE = 6
"""Messages that take each step together. Raising it saves little more, and the first waits for the last."""


def main() -> None:
    """Answers until stdin is closed."""
    gc.disable()  # until a model is there
    say, _ = begin("understanding")

    from rasa.core.channels.channel import UserMessage

    from bot.serving.excerpt import tracker_of
    from bot.serving.judge import load

    model: ServedProcessor | None = None

    def loaded(path: str) -> dict[str, Any]:
        nonlocal model
        try:
            model = load(path)
            model.warm_up()
            memory.keep()
        except Exception as error:
            return {"error": where(error)}
        return {"loaded": True}

    def understood(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            assert model is not None  # noqa: S101 -- messages come after a model
            told = [(UserMessage(line["text"]), tracker_of(line["told"], model.domain)) for line in lines]
            parsed = model.parse_together(told)
        except Exception as error:
            parsed = [error for _ in lines]
        # Errors without their words, which may be a visitor's.
        return [{"error": where(one)} if isinstance(one, Exception) else {"parsed": one} for one in parsed]

    for lines in asked_together(AT_ONCE):
        for is_model, some in groupby(lines, lambda line: "load" in line):
            if is_model:
                for line in some:
                    say(loaded(line["load"]))
            else:
                say(*understood(list(some)))


if __name__ == "__main__":
    main()
