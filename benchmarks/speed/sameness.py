"""Whether what makes the server fast changes any answer: the same model, read by this project's server and by Rasa's own.

`python -m benchmarks.speed.sameness fast|plain MODEL` prints what each sample is taken for: fast with the parts that
the server puts in the place of Rasa's and with warm caches, plain with Rasa's graph runner and processor.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.speed.traffic import held_out
from benchmarks.stock import ROOT, clean_environment


def compared(models: Path) -> dict[str, int]:
    """How many samples there are, and how many are taken for the same."""
    model = max(models.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    fast, plain = _taken_for("fast", model), _taken_for("plain", model)
    same = sum(one == other for one, other in zip(fast, plain, strict=True))
    return {"messages": len(plain), "same": same}


def _taken_for(how: str, model: Path) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.sameness", how, str(model)],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    taken: list[Any] = json.loads(done.stdout)
    return taken


def main(how: str, model: str) -> None:
    """Prints the intents of all samples."""
    from bot.serving import quiet, standin

    quiet.quieten()
    quiet.one_thread()
    standin.install(serving=how == "fast")
    quiet.log_to_stderr("ERROR")

    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage

    from bot.serving import in_rasa
    from bot.serving.processor import ServedProcessor

    texts = held_out()
    if how == "fast":
        in_rasa.replace()
        parts = Agent()
        processor: Any = ServedProcessor(model, parts.tracker_store, parts.lock_store, parts.nlg)
    else:
        processor = Agent.load(model).processor

    async def read() -> list[Any]:
        return [_kept(await processor.parse_message(UserMessage(text))) for text in texts]

    found = asyncio.run(read())
    print(json.dumps(asyncio.run(read()) if how == "fast" else found))  # the second time from the caches


def _kept(parsed: dict[str, Any]) -> list[Any]:
    """What the reply depends on."""
    clauses = [(clause["text"], clause["intent"]) for clause in parsed.get("clauses") or ()]
    key = parsed.get("response_selector", {}).get("faq", {}).get("response", {}).get("intent_response_key")
    return [parsed["intent"]["name"], key, clauses, parsed.get("candidates")]


if __name__ == "__main__":
    main(*sys.argv[1:])
