"""What staff decided joins the repository's files at training; without decisions nothing is added or changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rasa.shared.importers.importer import TrainingDataImporter

from bot.release_model import Decisions, TopicPart
from bot.store.plain import to_plain

pytestmark = pytest.mark.filterwarnings("ignore:The following duplicated intents:UserWarning")

DOMAIN = """
intents: [faq, out_of_scope, greet]
responses:
  utter_faq/pain: [{text: "Hardly.", metadata: {title: "Does it hurt?"}}]
  utter_greet: [{text: "Hello."}]
session_config: {session_expiration_time: 240, carry_over_slots_to_new_session: false}
"""
NLU = """
nlu:
- intent: faq/pain
  examples: |
    - will it be painful
- intent: out_of_scope
  examples: |
    - do you sell tents
    - Is there a car park?
- intent: greet
  examples: |
    - hello
"""
DECIDED = Decisions(
    (
        TopicPart("faq/pain", "Does it hurt?", "Not at all.", (), ("is it sore", "will it be painful")),
        TopicPart("faq/parking", "Parking", "Behind it.", ("faq/pain", "faq/none"), ("is there a car park",)),
    )
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config = "importers: [{name: bot.importer.DecisionsImporter}]\nlanguage: en"
    for name, text in {"config.yml": config, "domain.yml": DOMAIN, "data/nlu.yml": NLU}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("MILIA_DECISIONS_FILE", "")
    return tmp_path


def load() -> TrainingDataImporter:
    return TrainingDataImporter.load_from_config("config.yml", "domain.yml", ["data"])


def examples(importer: TrainingDataImporter) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for example in importer.get_nlu_data().intent_examples:
        name = example.get("intent_response_key") or example.get("intent")
        found.setdefault(name, []).append(example.get("text"))
    return found


@pytest.mark.usefixtures("project")
def test_without_decisions_it_is_rasas_own():
    ours, rasas = load(), TrainingDataImporter.load_from_dict({}, "config.yml", "domain.yml", ["data"])
    assert ours.get_nlu_data().fingerprint() == rasas.get_nlu_data().fingerprint()
    assert ours.get_domain().fingerprint() == rasas.get_domain().fingerprint()


def test_decisions_join_the_files(project: Path, monkeypatch: pytest.MonkeyPatch):
    (project / "decided.json").write_text(json.dumps(to_plain(DECIDED)))
    monkeypatch.setenv("MILIA_DECISIONS_FILE", "decided.json")
    importer = load()
    assert examples(importer) == {
        "faq/pain": ["will it be painful", "is it sore"],
        "out_of_scope": ["do you sell tents"],  # the other one is answered by now
        "greet": ["hello"],
        "faq/parking": ["is there a car park"],
    }
    domain = importer.get_domain()
    assert (
        domain.responses["utter_faq/pain"][0]["text"] == "Hardly."
    )  # edited texts are live without training
    assert domain.responses["utter_faq/parking"] == [
        {
            "text": "Behind it.",
            "metadata": {"title": "Parking"},
            "buttons": [{"title": "Does it hurt?", "payload": "/faq/pain"}],
        }
    ]
    assert domain.session_config.session_expiration_time == 240
