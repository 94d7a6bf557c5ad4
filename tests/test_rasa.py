"""Rasa's own checks, run on its command line with the project's model, as anybody would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import load_settings
from bot.training import ensure_model
from tests.conftest import ROOT, environment

STORIES = Path("tests/test_stories.yml")
LEAST = 64


def rasa(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`rasa ...` in the project's folder; what it prints on both streams is in `stdout`."""
    return subprocess.run(
        [sys.executable, "-m", "bot", "rasa", *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )


def steps_of(path: Path, kind: str) -> list[list[dict[str, Any]]]:
    return [story["steps"] for story in yaml.safe_load(path.read_text(encoding="utf-8"))[kind]]


def test_the_data_and_the_domain_are_valid() -> None:
    done = rasa("data", "validate", "--fail-on-warnings")
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(900)  # a model may have to be trained first
def test_every_conversation_goes_as_told(tmp_path: Path) -> None:
    ensure_model(load_settings(environment()), print)
    done = rasa(
        "test",
        "core",
        "--stories",
        str(STORIES),
        "--fail-on-prediction-errors",
        "--no-plot",
        "--out",
        str(tmp_path),
    )
    assert done.returncode == 0, done.stdout
    right, all_of_them = re.findall(r"Correct: +(\d+) / (\d+)", done.stdout)[0]
    assert right == all_of_them
    assert int(all_of_them) >= LEAST
    assert int(all_of_them) == len(steps_of(STORIES, "stories")), "Rasa takes two of them for the same"


def test_conversations_cover_every_rule_and_every_topic() -> None:
    told = [step for steps in steps_of(STORIES, "stories") for step in steps]
    intents = {step["intent"] for step in told if "intent" in step}
    actions = {step["action"] for step in told if "action" in step}
    for rule in steps_of(Path("data/stories.yml"), "rules"):
        for step in rule:
            assert step.get("action", "utter_faq") in actions
            assert step.get("intent", "faq") in {"faq", *intents}
    topics = yaml.safe_load(Path("tests/data/topics.yml").read_text(encoding="utf-8"))["faq"]
    assert {f"faq/{topic}" for topic in topics} <= intents
