"""The bill of materials is valid and names everything that is locked."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cyclonedx.schema._res
import jsonschema
import pytest

from tests.conftest import ROOT

SCHEMAS = Path(cyclonedx.schema._res.__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sbom")
    command = [sys.executable, "-W", "error", str(ROOT / "tools" / "sbom.py"), "--to", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def bill(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "sbom.cdx.json").read_text(encoding="utf-8"))


def schema(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))


def test_it_is_valid(bill: dict[str, Any]) -> None:
    whole = schema("bom-1.6")
    base = whole["$id"].rpartition("/")[0]
    names = ("spdx", "jsf-0.82", "cryptography-defs")
    store = {f"{base}/{name}.SNAPSHOT.schema.json": schema(name) for name in names}
    resolver = jsonschema.RefResolver.from_schema(whole, store=store)
    validator = jsonschema.Draft7Validator(whole, resolver=resolver)
    assert [error.message for error in validator.iter_errors(bill)] == []
    assert list(validator.iter_errors({**bill, "specVersion": 1}))


def test_it_names_every_locked_package_with_its_hashes(bill: dict[str, Any]) -> None:
    locked = {
        line.split()[0]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    named = {f"{part['name']}=={part['version']}" for part in bill["components"]}
    assert named == locked and len(named) > 150
    assert all(part["hashes"] and part["purl"] for part in bill["components"])


def test_every_package_has_a_licence_that_may_be_used(folder: Path) -> None:
    with (folder / "licences.csv").open(encoding="utf-8") as file:
        licences = {row["package"]: row["licence"] for row in csv.DictReader(file)}
    assert not [name for name, licence in licences.items() if licence == "not said"]
    strong = [name for name, licence in licences.items() if "GPL" in licence.replace("LGPL", "")]
    assert strong == []
    assert licences["rasa"] and "Apache" in licences["rasa"]
