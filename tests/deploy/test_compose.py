"""The compose file is valid and as closed as the Kubernetes files; the image's recipe is good practice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose

from bot.settings import load_settings
from tests.conftest import ROOT
from tests.deploy.conftest import DEPLOY, Doc
from tests.deploy.test_kubernetes import SECRETS

TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, Doc] = COMPOSE["services"]


def merged() -> str:
    """The file with its shared parts written out, as compose reads it."""
    shown = {name: part for name, part in COMPOSE.items() if not name.startswith("x-")}
    return yaml.safe_dump(shown)


def test_it_is_valid() -> None:
    compose = PyCompose.from_yaml(merged())
    compose.validate()
    assert set(compose.service_names()) == set(SERVICES)


def test_what_is_invalid_would_be_found() -> None:
    with pytest.raises(ValueError):
        PyCompose.from_yaml(merged().replace("mem_limit: 1g", "mem_limit: [1g]"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_right_too_many(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert not {"privileged", "network_mode", "pid", "ipc"} & set(service)
    if name != "database":  # which makes its folder its own at the first start
        assert service["read_only"] is True
    if service["image"].startswith("milia"):
        assert service["user"] == "10001:10001"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", SERVICES[name]["image"])


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_secrets_are_files_that_are_not_committed() -> None:
    for secret in COMPOSE["secrets"].values():
        path = DEPLOY / secret["file"]
        ignored = subprocess.run(["git", "check-ignore", "-q", str(path)], cwd=ROOT)
        assert ignored.returncode == 0
    used = {name for service in SERVICES.values() for name in service.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])


def test_there_are_several_of_each() -> None:
    for name in ("chat", "actions", "staff"):
        assert SERVICES[name]["deploy"]["replicas"] > 1


def test_the_settings_are_good_for_production(tmp_path: Path) -> None:
    values = {"PUBLIC_URL": "chat", "STAFF_URL": "staff", "ALLOWED_ORIGINS": "www"}
    given = {"MILIA_DATA_DIR": str(tmp_path)}
    for name, text in SERVICES["chat"]["environment"].items():
        variable = re.fullmatch(r"\$\{MILIA_(\w+):\?.*\}", text)
        given[name] = f"https://{values[variable[1]]}.example.com" if variable else text
        if name.endswith("_FILE"):
            file = tmp_path / Path(text).name
            file.write_text(SECRETS.get(name.removesuffix("_FILE"), "") + "\n")
            given[name] = str(file)
            assert Path(text).name in SERVICES["chat"]["secrets"]
    settings = load_settings(given, tmp_path / ".env")
    assert settings.is_production and not settings.messenger_enabled


def test_the_proxy_asks_the_ports_and_paths_that_there_are() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "chat:5005" in nginx and "staff:5080" in nginx
    assert not re.search(r"ip_hash|hash \$|sticky", nginx)
    assert nginx.count("{") == nginx.count("}")


def test_the_image_is_made_by_good_practice() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Containerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_made_of_what_is_locked() -> None:
    recipe = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in recipe
    assert re.search(r"^USER 10001:10001$", recipe, re.M)
    bases = set(re.findall(r"^FROM (\S+)", recipe, re.M))
    assert len(bases) == 1 and re.fullmatch(r"python:3\.10\.\d+-slim-bookworm(@sha256:\w{64})?", bases.pop())
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.M)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
    allowed = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in " ".join(copied).split()} == {n for n in allowed if n.startswith("!")}
