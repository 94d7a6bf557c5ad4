"""Has models talk as they would to visitors: `python -m bot.serving.rehearse`, spoken to in lines of JSON.

`{"load": path, "as": name}` loads a model; `{"say": [text, ...], "to": name}` has a conversation with it,
from the first text on. A text is what was typed, or the payload of a button that was offered.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bot.serving import quiet, standin
from bot.serving.lines import asked, own_stdout
from bot.settings import load_settings


def main() -> None:
    """Answers until stdin is closed."""
    say = own_stdout()
    settings = load_settings()
    quiet.quieten()
    quiet.one_thread()
    standin.install(serving=True)
    quiet.log_to_stderr(settings.log_level, "trial", settings.log_format)
    if os.getcwd() not in sys.path:  # where config.yml's classes are found
        sys.path.insert(0, os.getcwd())

    from bot.serving.rehearsal import Rehearsal

    rehearsals: dict[str, Rehearsal] = {}
    loop = asyncio.new_event_loop()
    for line in asked():
        try:
            if "load" in line:
                rehearsals[line["as"]] = loop.run_until_complete(
                    Rehearsal.of_model(Path(line["load"]), settings)
                )
                say({"loaded": line["as"]})
            else:
                say({"turns": loop.run_until_complete(rehearsals[line["to"]].turns(line["say"]))})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
