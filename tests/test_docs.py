"""The pages for operators name what there is."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from bot.__main__ import COMMANDS
from bot.settings import PREFIX, Settings
from tests.conftest import ROOT

PAGES = ("operations", "security", "privacy")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def test_versions_of_old_packages_are_the_locked_ones() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    table = page("security").split("## Old packages")[1]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ") and "---" not in row]
    named = [pair for cell in cells[1:] for pair in re.findall(r"([a-z-]+) (\d[\w.]*)", cell)]
    assert len(named) > 12
    for package, version in named:
        assert f"\n{package}=={version} " in lock, package


@pytest.mark.parametrize("name", PAGES)
def test_settings_and_commands_exist(name: str) -> None:
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    known |= {f"{PREFIX}{field.name.upper()}_FILE" for field in fields(Settings) if field.metadata["secret"]}
    assert set(re.findall(r"MILIA_[A-Z_]+[A-Z]", page(name))) <= known
    assert set(re.findall(r"python -m bot ([a-z-]+)", page(name))) <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z-]+)", page(name))) <= targets


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page(name)):
        assert (ROOT / "docs" / target).exists(), target


def test_every_metric_is_described() -> None:
    source = (ROOT / "bot/metrics.py").read_text() + (ROOT / "bot/store/watch.py").read_text()
    source += (ROOT / "bot/serving/app.py").read_text()
    names = set(re.findall(r'"(milia_[a-z_]+)"', source)) - {"milia_chat"}
    assert len(names) > 10
    assert names <= set(re.findall(r"milia_[a-z_]+", page("operations")))
