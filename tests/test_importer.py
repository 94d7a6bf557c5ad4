"""Training data: the files and what staff decided, each example once and with one answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.importer import DecisionsImporter
from bot.release_model import Decisions, TopicPart
from bot.store.plain import to_plain

NLU = """
nlu:
- intent: out_of_scope
  examples: |
    - Is there parking?
    - do you fix cars
- intent: faq/pain
  examples: |
    - does it hurt
"""
DOMAIN = "intents: [faq, out_of_scope]\nresponses: {utter_faq/pain: [{text: No.}]}\n"


@pytest.fixture
def merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DecisionsImporter:
    """The importer of a small project, with a topic and an example that staff added."""
    (tmp_path / "nlu.yml").write_text(NLU)
    (tmp_path / "domain.yml").write_text(DOMAIN)
    parking = TopicPart("faq/parking", "Parking", "Yes.", ("faq/pain",), ("is there parking", "car park?"))
    decisions = Decisions((TopicPart("faq/pain", examples=("does it hurt", "is it sore")), parking))
    (tmp_path / "decisions.json").write_text(json.dumps(to_plain(decisions)))
    monkeypatch.setenv("MILIA_DECISIONS_FILE", str(tmp_path / "decisions.json"))
    return DecisionsImporter(None, str(tmp_path / "domain.yml"), [str(tmp_path / "nlu.yml")])


def test_examples_of_staff_are_added_once_and_take_the_place_of_refusals(merged: DecisionsImporter) -> None:
    found = [
        (example.get("intent_response_key") or example.get("intent"), example.get("text"))
        for example in merged.get_nlu_data().intent_examples
    ]
    assert sorted(found) == [
        ("faq/pain", "does it hurt"),
        ("faq/pain", "is it sore"),
        ("faq/parking", "car park?"),
        ("faq/parking", "is there parking"),
        ("out_of_scope", "do you fix cars"),
    ]


def test_a_new_topic_has_its_response(merged: DecisionsImporter) -> None:
    assert merged.get_domain().responses["utter_faq/parking"][0]["text"] == "Yes."
