"""`make sbom`: what the assistant is made of, as a CycloneDX file, and the packages' licences as a list.

Made of what is locked in requirements.txt, with its hashes, and of what installed packages say of themselves.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
NAME, VERSION = "skin-matrix-assistant", "0.1.0"
UNKNOWN = "not said"


@dataclass(frozen=True)
class Package:
    """A locked package. hashes: SHA-256 of each file that may be installed for it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    licence: str


def packages(requirements: Path) -> Iterator[Package]:
    """What a lock file names."""
    text = requirements.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        found = re.match(r"([A-Za-z0-9._-]+)==(\S+)", line)
        if found:
            hashes = tuple(re.findall(r"--hash=sha256:(\w{64})", line))
            yield Package(found[1], found[2], hashes, licence_of(found[1]))


def licence_of(name: str) -> str:
    """The licence that an installed package names."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return UNKNOWN
    classified = [
        value.rpartition(" :: ")[2]
        for value in told.get_all("Classifier") or ()
        if value.startswith("License")
    ]
    known = [value for value in classified if value != "OSI Approved"]
    return _short(told, "License-Expression") or " AND ".join(known) or _short(told, "License") or UNKNOWN


def _short(told: PackageMetadata, field: str) -> str:
    """Its first line: some packages put the whole text there."""
    lines = (told.get(field) or "").strip().splitlines()
    return lines[0].strip()[:100] if lines and lines[0].strip().upper() != "UNKNOWN" else ""


def bill_of(found: list[Package], digest: str) -> Bom:
    """The packages as CycloneDX has them."""
    licences = LicenseFactory()
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{NAME}:{digest}"))
    bom.metadata.component = Component(
        name=NAME, version=VERSION, type=ComponentType.APPLICATION, bom_ref=NAME
    )
    for package in found:
        component = Component(
            name=package.name,
            version=package.version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{package.name}=={package.version}",
            purl=PackageURL("pypi", None, package.name, package.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in package.hashes],
            licenses=[] if package.licence == UNKNOWN else [licences.make_from_string(package.licence)],
        )
        bom.components.add(component)
        bom.register_dependency(bom.metadata.component, [component])
    return bom


def main(arguments: list[str]) -> int:
    """Writes both files and says where they are."""
    parser = argparse.ArgumentParser(prog="make sbom", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build", help="folder for the files")
    folder = parser.parse_args(arguments).to
    requirements = ROOT / "requirements.txt"
    found = list(packages(requirements))
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    bill, licences = folder / "sbom.cdx.json", folder / "licences.csv"
    bill.write_text(JsonV1Dot6(bill_of(found, digest)).output_as_string(indent=1) + "\n", encoding="utf-8")
    with licences.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["package", "version", "licence"])
        writer.writerows([package.name, package.version, package.licence] for package in found)
    unknown = sum(package.licence == UNKNOWN for package in found)
    sys.stderr.write(
        f"{len(found)} packages, {unknown} of them without a licence's name: {bill}, {licences}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
