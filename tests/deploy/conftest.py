"""The files of deploy/, read once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
Doc = dict[str, Any]


def resources() -> list[tuple[str, Doc]]:
    """Every Kubernetes resource, with its name for the tests' output."""
    found = []
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for doc in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if path.name != "kustomization.yaml":
                found.append((f"{path.stem}-{doc['kind']}-{doc['metadata']['name']}", doc))
    return found


def of_kind(*kinds: str) -> list[Doc]:
    return [doc for _, doc in resources() if doc["kind"] in kinds]


def pod_of(doc: Doc) -> Doc:
    """The pod template of a workload."""
    spec = doc["spec"]
    return spec["jobTemplate"]["spec"]["template"] if doc["kind"] == "CronJob" else spec["template"]


WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob")


def containers() -> Iterator[tuple[str, Doc, Doc]]:
    """Every container with its pod."""
    for name, doc in resources():
        if doc["kind"] in WORKLOADS:
            for container in pod_of(doc)["spec"]["containers"]:
                yield name, pod_of(doc), container
