"""Reads texts with a model of this project, in a process of its own: `python -m benchmarks.understanding.read_ours MODEL`.

Takes a list of texts as JSON on stdin and prints what they are taken for (benchmarks/understanding/readings.py).
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from pathlib import Path


def main(model: str) -> None:
    """Reads and prints."""
    from bot.serving import quiet, standin

    quiet.quieten()
    quiet.one_thread()
    standin.install(serving=True)
    quiet.log_to_stderr("ERROR")

    from benchmarks.understanding.pipeline import Pipeline
    from bot.components.other_subjects import OTHER_SUBJECT
    from bot.components.topic_classifier import READINGS
    from bot.serving import in_rasa

    in_rasa.replace()
    texts = json.load(sys.stdin)
    pipeline = Pipeline(Path(model))
    pipeline.read("hello")
    rows = []
    for text in texts:
        started = time.perf_counter()
        message = pipeline.read(text)
        seconds = time.perf_counter() - started
        name = message.get("intent", {}).get("name") or "out_of_scope"
        selected = (message.get("response_selector") or {}).get(name, {}).get("response", {})
        topic, known, measures = "", 0.0, (math.log(1e-4), 0.0, 0.0)
        if message.get(READINGS):
            reading = message.get(READINGS)[0]
            topic, probability, known = pipeline.decider.best(reading, bool(message.get(OTHER_SUBJECT)))
            measures = (math.log(probability + 1e-4), reading.nearness, reading.evidence)
        rows.append(
            {
                "intent": selected.get("intent_response_key") or name,
                "clauses": [clause["intent"] for clause in message.get("clauses") or ()],
                "topic": topic,
                "known": known,
                "measures": measures,
                "seconds": seconds,
            }
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": rows, "memory": memory}))


if __name__ == "__main__":
    main(*sys.argv[1:])
