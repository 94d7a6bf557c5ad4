"""The Kubernetes files are valid, give nobody more rights than needed, and belong together."""

from __future__ import annotations

import warnings
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from bot.settings import Settings, load_settings
from tests.deploy.conftest import DEPLOY, WORKLOADS, Doc, containers, of_kind, pod_of, resources

VERSION = "1.28"


def validate(doc: Doc) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it finds its schemas
        kubernetes_validate.validate(doc, VERSION, strict=True)


SECRETS = {
    "MILIA_SECRET_KEY": "o3Yx8mZkq1RbT5vJw7Nc2LdHs9Pf4GaE",
    "MILIA_DATABASE_URL": "postgresql://clinic:R8kq2ZtW5nYx7b@db.inside/clinic",
    "MILIA_REDIS_URL": "redis://:Qm4xT9wLz2Vb8k@redis:6379/0",
}

each_container = pytest.mark.parametrize(
    ("pod", "container"), [pytest.param(p, c, id=name) for name, p, c in containers()]
)


@pytest.mark.parametrize("doc", [pytest.param(doc, id=name) for name, doc in resources()])
def test_it_is_valid(doc: Doc) -> None:
    validate(doc)


def test_what_is_invalid_would_be_found() -> None:
    [doc] = of_kind("ConfigMap")
    with pytest.raises(kubernetes_validate.ValidationError):
        validate({**doc, "dta": {}})


def test_kustomize_takes_every_file_but_restoring() -> None:
    folder = DEPLOY / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(
        {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "restore.yaml"}
    )


@each_container
def test_a_container_has_no_right_too_many(pod: Doc, container: Doc) -> None:
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any("hostPath" in volume for volume in spec.get("volumes", ()))
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)


@each_container
def test_a_container_is_bounded_and_pinned(pod: Doc, container: Doc) -> None:
    for what in ("requests", "limits"):
        assert {"cpu", "memory"} <= set(container["resources"][what])
    image, _, tag = container["image"].partition(":")
    assert image and tag and tag != "latest"


@each_container
def test_secrets_are_only_referred_to(pod: Doc, container: Doc) -> None:
    for variable in container.get("env", ()):
        if any(word in variable["name"] for word in ("PASSWORD", "URL", "SECRET", "TOKEN")):
            assert "secretKeyRef" in variable["valueFrom"]
    assert not of_kind("Secret")


def servers() -> list[Doc]:
    return [doc for doc in of_kind("Deployment", "StatefulSet") if doc["metadata"]["name"] != "redis"]


def test_servers_are_probed_at_the_paths_and_ports_that_they_have() -> None:
    ports = {"chat": 5005, "actions": 5055, "staff": 5080}
    assert {doc["metadata"]["name"] for doc in servers()} == set(ports)
    for doc in servers():
        name, [container] = doc["metadata"]["name"], pod_of(doc)["spec"]["containers"]
        assert ports[name] == {p["name"]: p["containerPort"] for p in container["ports"]}["http"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
        for probe in ("startupProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["path"] == "/health/ready"


def test_each_metrics_port_is_the_one_that_the_process_takes() -> None:
    [config] = of_kind("ConfigMap")
    first = int(config["data"]["MILIA_METRICS_PORT"])
    for place, name in enumerate(("chat", "actions", "staff")):
        [doc] = [doc for doc in servers() if doc["metadata"]["name"] == name]
        [container] = pod_of(doc)["spec"]["containers"]
        assert {"name": "metrics", "containerPort": first + place} in container["ports"]
        assert pod_of(doc)["metadata"]["annotations"]["prometheus.io/port"] == str(first + place)


def test_there_are_several_of_each_and_never_all_are_taken_away() -> None:
    budgets = {doc["metadata"]["name"]: doc["spec"] for doc in of_kind("PodDisruptionBudget")}
    for doc in servers():
        budget = budgets[doc["metadata"]["name"]]
        assert 0 < budget["minAvailable"] < doc["spec"]["replicas"]
        assert budget["selector"]["matchLabels"].items() <= pod_of(doc)["metadata"]["labels"].items()


def test_a_spool_outlives_its_pod() -> None:
    for doc in servers():
        if doc["metadata"]["name"] in {"chat", "actions"}:
            assert doc["kind"] == "StatefulSet"
            [claim] = doc["spec"]["volumeClaimTemplates"]
            [container] = pod_of(doc)["spec"]["containers"]
            assert {"name": claim["metadata"]["name"], "mountPath": "/data"} in container["volumeMounts"]


def test_requests_go_to_any_server() -> None:
    for doc in of_kind("Service"):
        assert doc["spec"].get("sessionAffinity", "None") == "None"
    [ingress] = of_kind("Ingress")
    assert not any("affinity" in name for name in ingress["metadata"]["annotations"])


def test_services_find_their_pods() -> None:
    labels = [pod_of(doc)["metadata"]["labels"] for doc in of_kind(*WORKLOADS)]
    for doc in of_kind("Service", "PodDisruptionBudget"):
        selector = doc["spec"]["selector"]
        wanted = selector.get("matchLabels", selector).items()
        assert any(wanted <= of_pod.items() for of_pod in labels), doc["metadata"]["name"]


def test_the_network_is_closed_but_for_what_is_named() -> None:
    policies = {doc["metadata"]["name"]: doc["spec"] for doc in of_kind("NetworkPolicy")}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, spec in policies.items():
        for rule in spec.get("ingress", ()):
            assert rule.get("from") and rule.get("ports"), name
    [actions] = policies["actions"]["ingress"]
    assert actions["from"] == [{"podSelector": {"matchLabels": {"app": "chat"}}}]


def test_the_public_reaches_only_what_is_public() -> None:
    [ingress] = of_kind("Ingress")
    paths = {
        (path["backend"]["service"]["name"], path["path"])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert paths == {
        ("chat", "/webhooks/website/"),
        ("chat", "/webhooks/facebook/"),
        ("chat", "/health/ready"),
        ("staff", "/"),
    }


def test_the_settings_are_good_for_production(tmp_path: Path) -> None:
    [config] = of_kind("ConfigMap")
    given = {**config["data"], **SECRETS, "MILIA_DATA_DIR": str(tmp_path)}
    settings = load_settings(given, tmp_path / ".env")
    assert settings.is_production and not settings.rest_enabled
    assert settings.proxies == settings.staff_proxies == 1
    secret = {
        f"MILIA_{name.upper()}" for name, f in Settings.__dataclass_fields__.items() if f.metadata["secret"]
    }
    assert not secret & set(config["data"])
