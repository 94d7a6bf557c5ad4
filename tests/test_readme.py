"""The README and the map of the modules tell the truth."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    assert len(README.splitlines()) < 150


def test_its_make_commands_are_there() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^make ([a-z-]+)", listed, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"run", "test"} <= named
    assert named <= targets, "make help doesn't list it"


def test_every_command_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for command in re.findall(r"python -m bot ([a-z-]+)", README):
        assert re.search(rf"^  {command} +\S", done.stdout, re.MULTILINE)
    for line in done.stdout.split("commands:")[1].strip().splitlines():
        assert line.rstrip().endswith((".", "it.")) or ";" in line


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)", README))))
def test_its_links_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or Path(ROOT, target).exists()


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "bot").glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in (ROOT / "bot").glob("*/__init__.py")}
    assert [name for name in sorted(modules | folders) if f"`bot/{name}`" not in text] == []
