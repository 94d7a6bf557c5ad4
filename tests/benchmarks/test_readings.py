"""What texts are taken for becomes the same figures for both systems."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.understanding.read_stock import taken_for
from benchmarks.understanding.readings import Taken, calibration, judged, refused, separation, several


def meets(intent: str, topics: Sequence[str]) -> bool:
    return intent.removeprefix("faq/") in topics


def test_verdicts_on_questions() -> None:
    items = [{"topic": "pain"}, {"topic": "pain", "also": ["size"]}, {"topic": "pain"}, {"topic": "size"}]
    taken = [
        Taken("faq/pain", "faq/pain", 0.9),
        Taken("several_questions", "", 0.5, ("faq/size", "out_of_scope")),
        Taken("faq/size", "faq/size", 0.8),
        Taken("nlu_fallback", "faq/size", 0.3),
    ]
    asking = judged(items, taken, meets, asks=True)
    assert asking.verdicts == {"right": 2, "wrong": 1, "asking": 1}
    assert asking.by_topic["pain"] == {"right": 2, "wrong": 1}
    assert asking.confused == {("pain", "faq/size"): 1}
    assert judged(items, taken, meets, asks=False).verdicts["don't know"] == 1
    assert asking.share("right") == 0.5


def test_what_is_out_of_scope_may_be_answered_only_as_allowed() -> None:
    items = [
        {"kind": "general"},
        {"kind": "general"},
        {"kind": "near_skin", "also_ok": ["ask_medical"]},
    ]
    taken = [Taken("out_of_scope", "", 0.1), Taken("faq/pain", "", 0.9), Taken("ask_medical", "", 0.9)]
    assert refused(items, taken, meets) == {"all": pytest.approx(2 / 3), "general": 0.5, "near_skin": 1.0}


def test_several_questions() -> None:
    items = [{"topics": ["pain", "size"]}, {"topics": ["pain", "size"]}]
    taken = [Taken("several_questions", "", 1.0, ("faq/pain", "faq/size")), Taken("faq/pain", "", 1.0)]
    assert several(items, taken, meets) == {"every": 0.5, "one": 1.0}


def test_known_and_unknown_apart_and_calibrated() -> None:
    known, unknown = [Taken("", "", 0.9), Taken("", "", 0.8)], [Taken("", "", 0.1)]
    assert separation(known, unknown) == {"auroc": 1.0, "fpr95": 0.0}
    assert calibration([*known, *unknown], [True, True, False]) == pytest.approx((0.1 + 0.2 + 0.1) / 3)


def test_rasas_parse_data_give_the_full_name_and_the_likeliest_that_could_be_answered() -> None:
    parsed = {
        "intent": {"name": "nlu_fallback", "confidence": 0.4},
        "intent_ranking": [
            {"name": "nlu_fallback", "confidence": 0.4},
            {"name": "faq", "confidence": 0.25},
            {"name": "greet", "confidence": 0.2},
        ],
        "response_selector": {
            "faq": {"response": {"intent_response_key": "faq/pain", "confidence": 0.5}},
        },
    }
    assert taken_for(parsed) == {"intent": "nlu_fallback", "topic": "faq/pain", "known": 0.125}
