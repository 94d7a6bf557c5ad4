"""The alert rules are of Prometheus's language, about metrics that there are."""

from __future__ import annotations

import re

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

import bot.metrics  # noqa: F401 - its metrics are registered
from bot.store.spool import Spool
from bot.store.store import Store
from bot.store.watch import looked_up
from tests.conftest import ROOT
from tests.deploy.conftest import DEPLOY, Doc

RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]


def known() -> set[str]:
    """What a process of ours offers."""
    families = list(REGISTRY.collect())
    for looked in looked_up(Store("sqlite://"), Spool(ROOT)):
        families += looked.describe()
    names = {"milia_model", "up"}
    for family in families:
        names |= {family.name, f"{family.name}_total", f"{family.name}_bucket"}
    return names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule(rule: Doc) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    promql_parser.parse(rule["expr"])
    used = set(re.findall(r"\b(?:milia_\w+|up)\b", rule["expr"]))
    assert used and used <= known()
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "todo"}
    if "for" in rule:
        promql_parser.parse(f"up[{rule['for']}]")


def test_what_is_wrong_would_be_found() -> None:
    with pytest.raises(ValueError):
        promql_parser.parse("rate(up[5m)")
    assert "milia_nonsense" not in known()


def test_every_alert_has_a_name_of_its_own() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
