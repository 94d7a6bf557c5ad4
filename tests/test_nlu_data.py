"""The training examples: enough of them, each in one place, none of them from the exam."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

NLU: list[dict[str, Any]] = yaml.safe_load(Path("data/nlu.yml").read_text(encoding="utf-8"))["nlu"]
EXAMPLES = {block["intent"]: [line[2:] for line in block["examples"].splitlines() if line] for block in NLU}
SHOWN_ONLY = {"several_questions", "other_language", "none_of_these"}


def key(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip() or text


def test_every_topic_has_examples_enough() -> None:
    topics = yaml.safe_load(Path("tests/data/topics.yml").read_text(encoding="utf-8"))
    needed = [f"faq/{topic}" for topic in topics["faq"]]
    needed += [topic for group in ("actions", "not_published", "safety", "chat") for topic in topics[group]]
    few = {intent: len(EXAMPLES.get(intent, ())) for intent in needed if len(EXAMPLES.get(intent, ())) < 25}
    assert not few
    assert len(EXAMPLES["out_of_scope"]) >= 250


def test_intents_are_sorted() -> None:
    assert list(EXAMPLES) == sorted(EXAMPLES)


def test_no_example_stands_twice() -> None:
    counts = Counter(key(text) for texts in EXAMPLES.values() for text in texts)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_example_is_taken_from_what_only_tests() -> None:
    examples = {key(text) for texts in EXAMPLES.values() for text in texts if len(key(text).split()) > 4}
    for folder in ("samples", "validation", "holdout"):
        for name in ("questions", "oos", "multi"):
            items = yaml.safe_load(Path(f"tests/data/{folder}/{name}.yml").read_text(encoding="utf-8"))
            assert [item["text"] for item in items if key(item["text"]) in examples] == []


def test_every_intent_is_in_the_domain() -> None:
    intents = yaml.safe_load(Path("domain.yml").read_text(encoding="utf-8"))["intents"]
    assert {intent.partition("/")[0] for intent in EXAMPLES} <= set(intents)
    assert set(EXAMPLES) >= SHOWN_ONLY
