"""The project that Rasa's defaults are measured with: this one's examples and answers, Rasa's own pipeline."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from benchmarks import stock

NLU = Path("data/nlu.yml")


def test_few_examples_of_each_topic(tmp_path: Path) -> None:
    few = dict(stock.intents(stock.write_few(tmp_path / "few.yml", NLU, 3)))
    every = dict(stock.intents(NLU))
    assert few.keys() == every.keys()
    assert len(few["faq/pain"]) == 3
    assert len(few["out_of_scope"]) == 3 * stock.OUT_OF_SCOPE
    assert all(set(texts) <= set(every[name]) for name, texts in few.items())


def test_every_intent_has_a_rule_and_an_answer(tmp_path: Path) -> None:
    environment = stock.Environment(Path(sys.executable))
    project = stock.write_project(tmp_path / "rasa", environment, NLU, epochs=7)
    domain = yaml.safe_load((project / "domain.yml").read_text())
    rules = yaml.safe_load((project / "data" / "rules.yml").read_text())["rules"]
    assert {rule["steps"][0]["intent"] for rule in rules} == set(domain["intents"])
    assert {rule["steps"][1]["action"] for rule in rules} <= {*domain["actions"], *domain["responses"]}
    assert "keratin" in domain["responses"]["utter_faq/what_are_milia"][0]["text"]
    pipeline = yaml.safe_load((project / "config.yml").read_text())["pipeline"]
    assert {"name": "DIETClassifier", "epochs": 7, "constrain_similarities": True} in pipeline
