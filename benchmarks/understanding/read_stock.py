"""Reads texts with a model of Rasa's defaults, on a Python that has them: `python read_stock.py MODEL`.

Takes a list of texts as JSON on stdin and prints what they are taken for (benchmarks/understanding/readings.py).
Imports nothing of this project, whose packages that Python need not have.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

UNKNOWN = ("out_of_scope", "nlu_fallback")


def main(model: str) -> None:
    """Reads and prints."""
    from rasa.core.agent import Agent

    texts = json.load(sys.stdin)
    agent = Agent.load(model)

    async def read() -> list[dict[str, Any]]:
        await agent.parse_message("hello")
        rows = []
        for text in texts:
            started = time.perf_counter()
            parsed = await agent.parse_message(text)
            rows.append({**taken_for(parsed), "clauses": [], "seconds": time.perf_counter() - started})
        return rows

    rows = asyncio.run(read())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": rows, "memory": memory}))


def taken_for(parsed: dict[str, Any]) -> dict[str, Any]:
    """The intent with its sub-topic; and the likeliest that could be answered, with its probability."""
    intent = parsed["intent"]["name"]
    ranking = [one for one in parsed["intent_ranking"] if one["name"] not in UNKNOWN]
    best = max(ranking, key=lambda one: one["confidence"], default={"name": "", "confidence": 0.0})
    topic, chance = with_key(parsed, best["name"])
    return {"intent": with_key(parsed, intent)[0], "topic": topic, "known": best["confidence"] * chance}


def with_key(parsed: dict[str, Any], intent: str) -> tuple[str, float]:
    """The full name of a retrieval intent, and the probability of its response."""
    selectors = parsed.get("response_selector") or {}
    response = (selectors.get(intent) or selectors.get("default") or {}).get("response") or {}
    key = response.get("intent_response_key") or ""
    return (key, float(response["confidence"])) if key.startswith(f"{intent}/") else (intent, 1.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
