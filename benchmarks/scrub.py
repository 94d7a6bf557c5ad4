"""How well scrubbing finds personal data, by kind: `python benchmarks/scrub.py [--misses]`."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.scrub import find  # noqa: E402
from bot.scrub.span import Span  # noqa: E402

MESSAGES = (
    Path(sys.argv[1])
    if len(sys.argv) > 1 and sys.argv[1].endswith("yml")
    else ROOT / "tests" / "data" / "scrub.yml"
)
KINDS = ("phone", "email", "dob", "medicare", "card", "address", "name")
_MARK = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)


@dataclass
class Score:
    """Counts by kind, and what went wrong in words."""

    right: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def recall(self, kind: str) -> float:
        return self.right[kind] / max(1, self.right[kind] + self.missed[kind])

    def precision(self, kind: str) -> float:
        return self.right[kind] / max(1, self.right[kind] + self.wrong[kind])


def labelled(marked: str) -> tuple[str, list[Span]]:
    """The text without marks, and the spans that they stood for."""
    text, spans, end = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[end : match.start()]
        spans.append(Span(len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        end = match.end()
    return text + marked[end:], spans


def messages() -> list[tuple[str, list[Span]]]:
    data = yaml.safe_load(MESSAGES.read_text(encoding="utf-8"))
    return [labelled(marked) for marked in (*data["personal"], *data["tempting"])]


def score() -> Score:
    """A span counts as found when no letter or digit of it is left (under whichever mark)."""
    result = Score()
    for text, spans in messages():
        found = find(text)
        for span in spans:
            left = [i for i in range(span.start, span.end) if text[i].isalnum()]
            covering = [f for f in found if f.touches(span)]
            gone = all(any(f.start <= i < f.end for f in covering) for i in left)
            if gone:
                result.right[span.kind] += 1
            else:
                result.missed[span.kind] += 1
                result.notes.append(
                    f"missed {span.kind}: {text!r} -> {[text[f.start : f.end] for f in found]}"
                )
            if gone and not any(f.kind == span.kind for f in covering):
                result.notes.append(f"{span.kind} taken for {covering[0].kind}: {text!r}")
        for f in found:
            inside = [s for s in spans if s.touches(f)]
            extra = [
                i
                for i in range(f.start, f.end)
                if text[i].isalnum() and not any(s.start <= i < s.end for s in inside)
            ]
            if extra:
                result.wrong[f.kind] += 1
                result.notes.append(f"wrong {f.kind}: {text!r} -> {text[f.start : f.end]!r}")
    return result


def main() -> None:
    find("Warm up with Jane Doe")  # loads spaCy
    started = time.perf_counter()
    result = score()
    took = (time.perf_counter() - started) / len(messages()) * 1000
    print(f"{'kind':10} {'there':>6} {'recall':>8} {'precision':>10}")
    for kind in KINDS:
        there = result.right[kind] + result.missed[kind]
        print(f"{kind:10} {there:6} {result.recall(kind):8.1%} {result.precision(kind):10.1%}")
    print(f"{len(messages())} messages, {took:.1f} ms each")
    if "--misses" in sys.argv:
        print(*result.notes, sep="\n")


if __name__ == "__main__":
    main()
