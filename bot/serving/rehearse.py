"""Has models talk as they would to visitors: `python -m bot.serving.rehearse`, spoken to in lines of JSON.

`{"load": path, "as": name}` loads a model; `{"say": [text, ...], "to": name}` has a conversation with it,
from the first text on. A text is what was typed, or the payload of a button that was offered.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.serving.child import begin
from bot.serving.lines import asked


def main() -> None:
    """Answers until stdin is closed."""
    say, settings = begin("trial")

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
