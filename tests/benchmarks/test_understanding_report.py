"""The report on understanding shows both systems side by side, and leaves out what was not measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.understanding import report

PART = {
    "questions": {"right": 0.9, "asking": 0.02, "don't know": 0.05, "wrong": 0.03},
    "by_topic": {"pain": 0.9},
    "confused": [["pain", "faq/size", 2]],
    "refused": {"all": 0.95, "near_skin": 0.9},
    "wrong": 0.04,
    "several": {"every": 0.8, "one": 1.0},
    "auroc": 0.98,
    "fpr95": 0.05,
    "ece": 0.03,
    "reliability": [[0.2, 0.1, 40], [0.9, 0.95, 200]],
    "messages": [100, 50, 20],
}
SYSTEM = {
    "samples": PART,
    "validation": PART,
    "training": 30.0,
    "memory": 3e8,
    "latency": {"median": 0.004, "p99": 0.01},
}


def results(**more: Any) -> dict[str, Any]:
    return {
        "date": "2026-01-01 00:00 UTC",
        "machine": "2 cores",
        "load": 0.1,
        "epochs": 100,
        "examples": [15_000, 1_600],
        "systems": {"this project": SYSTEM, "Rasa's defaults": SYSTEM},
        **more,
    }


def test_both_stand_side_by_side() -> None:
    text = report.text(results())
    assert "| questions (100): right | 90.0% | 90.0% |" in text
    assert "| - near skin | 90.0% | 90.0% |" in text
    assert "| a message, median | 4.0 ms | 4.0 ms |" in text
    assert "| pain | faq/size | 2 |" in text
    assert "CLINC150" not in text
    assert "Five-fold" not in text


def test_what_was_measured_besides_is_told() -> None:
    clinc = {"this project": {"accuracy": 0.98, "auroc": 0.99, "fpr95": 0.03, "training": 9.0}}
    folds = {"accuracy": 0.9, "examples": 15_000, "by_topic": {"faq/pain": 0.9}, "confused": [["a", "b", 3]]}
    text = report.text(results(clinc=clinc, folds=folds))
    assert "| this project | 0.980 | 0.990 | 0.030 | 9 s |" in text
    assert "15,000 examples: 90.0%" in text


def test_plots_are_small(tmp_path: Path) -> None:
    report.draw_reliability(results(), tmp_path / "reliability.svg")
    report.draw_topics({f"topic {n}": 0.9 for n in range(58)}, tmp_path / "topics.svg")
    assert all(path.stat().st_size < 60_000 for path in tmp_path.iterdir())
