"""What is personal is taken out of a text; what only looks it stays."""

from __future__ import annotations

import sys
import time
from importlib import util
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scrub import CUT, LONGEST, find, scrub
from bot.scrub.memory import Memory
from bot.scrub.span import Span

ROOT = Path(__file__).resolve().parent.parent


def benchmark() -> ModuleType:
    spec = util.spec_from_file_location("benchmark_scrub", ROOT / "benchmarks" / "scrub.py")
    assert spec and spec.loader
    module = sys.modules[spec.name] = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("call me on 0491 570 006", "call me on [phone]"),
        ("jane at gmail dot com", "[email]"),
        ("I'm Priya, born 3/4/1987", "I'm [name], born [dob]"),
        ("tomorrow at 2 under Hughes", "tomorrow at 2 under [name]"),
        ("oh four nine one five seven zero oh oh six", "[phone]"),
        ("bumps under my eyes", "bumps under my eyes"),
        ("catch ya I'm Sarah later, ta", "catch ya I'm Sarah later, ta"),
        ("is Sarah there? 1300 455 792", "is Sarah there? 1300 455 792"),
        ("", ""),
    ],
)
def test_marks_stand_in_place(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


def test_the_labelled_messages() -> None:
    module = benchmark()
    assert len(module.messages()) >= 220
    result = module.score()
    notes = "\n".join(result.notes)
    for kind in ("phone", "email"):
        assert result.recall(kind) >= 0.99, notes
        assert result.precision(kind) >= 0.97, notes
    for kind in ("dob", "medicare", "card", "address"):
        assert result.recall(kind) >= 0.95, notes
        assert result.precision(kind) >= 0.95, notes
    assert result.recall("name") >= 0.93, notes
    assert result.precision("name") >= 0.93, notes


HOSTILE = [
    "0 " * 5000,
    "a" * 100_000,
    "1.2/" * 3000,
    "(" * 5000,
    "a.a@" * 3000,
    "+61" * 3000,
    "my name is " * 500,
    "1 a a a st " * 500,
    "zero " * 1000,
    "O'" * 2500,
    "Jane " * 500,
    "\u200b" * 3000,
    "\ud800\0" * 1000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_text_costs_little(text: str) -> None:
    scrub("Jane Doe was here")  # spaCy is loaded once a process
    started = time.perf_counter()
    scrubbed = scrub(text)
    assert time.perf_counter() - started < 1.0
    assert len(scrubbed) <= 3 * LONGEST


@pytest.mark.parametrize(("most", "times"), [(3, 1), (1, 2)])
def test_a_text_that_is_remembered_is_not_searched_again(most: int, times: int) -> None:
    searched: list[str] = []

    def search(text: str) -> list[Span]:
        searched.append(text)
        return find(text)

    memory = Memory(search, most)
    texts = ["Milia are hard white lumps.", "We call Emma Jones on 0412 345 678.", "a lone \ud800"]
    for _ in range(2):
        assert [memory.find(text) for text in texts] == [find(text) for text in texts]
    assert searched == texts * times


def test_long_text_is_cut_and_says_so() -> None:
    assert scrub("milia " * 1000).endswith(CUT)
    assert not scrub("milia " * 100).endswith(CUT)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789 +-.()@abcMilia'\n\u200b\ud800/"), max_size=80))
def test_anything_can_be_scrubbed_and_again(text: str) -> None:
    spans = find(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    scrub(scrub(text))


@given(st.lists(st.sampled_from(["", " ", "-", ".", " - "]), min_size=9, max_size=9))
def test_a_mobile_number_in_any_spelling(gaps: list[str]) -> None:
    spelled = "".join(d + gap for d, gap in zip("0491570006", [*gaps, ""], strict=True))
    assert scrub(f"call {spelled} please") == "call [phone] please"
