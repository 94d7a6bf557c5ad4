"""The doctor finds each fault, and says what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot import doctor
from bot.doctor import Level, examine, findings
from bot.model import utc_now
from bot.model_inputs import digest_of_inputs
from bot.model_stamp import write_stamp
from bot.settings import Settings, SettingsError, load_settings
from bot.store.store import Store
from tests.conftest import ROOT, System, environment, free_ports
from tests.doubles.meta_thread import MetaThread
from tests.redis_server import RedisServer


@pytest.fixture
def make_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings of an assistant that lacks nothing but what a test takes away."""
    monkeypatch.chdir(ROOT)
    models = tmp_path / "models"
    models.mkdir()
    (models / "milia-1.tar.gz").write_bytes(b"a model")
    write_stamp(models, digest_of_inputs(ROOT), "milia-1.tar.gz")

    def make(**given: object) -> Settings:
        values = {"data_dir": tmp_path / "data", "models_dir": models, **given}
        return load_settings(environment(**values), tmp_path / ".env")

    Store(make().store_url).migrate()
    return make


def faults(settings: Settings, about: str) -> list[str]:
    """What is wrong with one thing, with what to do; nothing else may be wrong."""
    found = [finding for finding in findings(settings) if finding.level is not Level.OK]
    told = [f for f in found if f.found != "There is no staff account."]
    assert {finding.about for finding in told} <= {about}
    assert all(finding.todo for finding in found)
    return [f"{finding.level.value}: {finding.found} {finding.todo}" for finding in told]


def test_everything_is_looked_at(make_settings: Callable[..., Settings]) -> None:
    looked_at = {finding.about for finding in findings(make_settings())}
    assert looked_at == {"settings", "database", "redis", "encoder", "model", "messenger", "disk", "spool"}
    assert faults(make_settings(), "") == []


def test_a_running_assistant_is_well(system: System) -> None:
    command = [sys.executable, "-m", "bot", "doctor"]
    done = subprocess.run(command, cwd=ROOT, env=system.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAULT" not in done.stdout
    assert "Facebook takes the token of Page" in done.stdout


def test_wrong_settings(make_settings: Callable[..., Settings]) -> None:
    def load() -> Settings:
        raise SettingsError("MILIA_CHAT_PORT is 'x'.")

    said: list[str] = []
    assert examine(load, said.append) == 1
    assert "FAULT" in said[0] and "MILIA_CHAT_PORT" in said[0] and ".env" in said[0]


def test_settings_that_are_risky(make_settings: Callable[..., Settings]) -> None:
    [told] = faults(make_settings(host="0.0.0.0"), "settings")
    assert told.startswith("warning") and "MILIA_MODE=production" in told


def test_a_database_that_is_away(make_settings: Callable[..., Settings]) -> None:
    [nobody] = free_ports(1)
    settings = make_settings(database_url=f"postgresql://127.0.0.1:{nobody}/none", redis_url="")
    told = [f for f in findings(settings) if f.about == "database"]
    assert [f.level for f in told] == [Level.FAULT] and "MILIA_DATABASE_URL" in told[0].todo
    assert examine(lambda: settings, lambda _: None) == 1


def test_tables_of_another_version(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    [told] = faults(make_settings(data_dir=tmp_path / "new"), "database")
    assert told.startswith("FAULT") and "bot migrate" in told


def test_nobody_could_sign_in(make_settings: Callable[..., Settings]) -> None:
    assert any("staff-account first" in finding.todo for finding in findings(make_settings()))


def test_a_redis_that_is_away(make_settings: Callable[..., Settings]) -> None:
    with RedisServer() as server:
        settings = make_settings(redis_url=server.url)
        assert faults(settings, "redis") == []
    [told] = faults(settings, "redis")
    assert told.startswith("FAULT") and "MILIA_REDIS_URL" in told


def test_an_encoder_that_is_damaged(
    make_settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "encoder_path", lambda: tmp_path / "nothing")
    [told] = faults(make_settings(), "encoder")
    assert told.startswith("FAULT") and "build-encoder" in told


def test_a_model_that_is_missing(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    [told] = faults(make_settings(models_dir=tmp_path / "none"), "model")
    assert told.startswith("FAULT") and "make train" in told


def test_a_model_that_was_changed(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    (settings.models_dir / "milia-1.tar.gz").write_bytes(b"another")
    [told] = faults(settings, "model")
    assert told.startswith("FAULT") and "not the file that was trained" in told


def test_a_model_of_other_files(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    write_stamp(settings.models_dir, "0" * 64, "milia-1.tar.gz")
    [told] = faults(settings, "model")
    assert told.startswith("warning") and "make train" in told


@pytest.mark.parametrize(
    ("wrong", "todo"),
    [
        ({"messenger_page_tokens": "100:old"}, "MILIA_MESSENGER_PAGE_TOKENS"),
        ({"messenger_graph_url": "http://127.0.0.1:1"}, "internet"),
    ],
)
def test_a_token_that_facebook_does_not_take(
    wrong: dict[str, str], todo: str, make_settings: Callable[..., Settings], meta: MetaThread
) -> None:
    assert faults(make_settings(**meta.settings), "messenger") == []
    before = len(meta.meta.unauthorised)
    [told] = faults(make_settings(**{**meta.settings, **wrong}), "messenger")
    assert told.startswith("FAULT") and todo in told
    del meta.meta.unauthorised[before:]


def test_a_folder_that_cannot_be_written(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    url = make_settings().store_url
    settings = make_settings(data_dir=file / "data", secret_key="k" * 40, database_url=url)
    [told] = faults(settings, "disk")
    assert told.startswith("FAULT") and "MILIA_DATA_DIR" in told


@pytest.mark.parametrize(("free", "level"), [(50_000_000, "FAULT"), (500_000_000, "warning")])
def test_a_disk_that_is_nearly_full(
    free: int, level: str, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    [told] = faults(make_settings(), "disk")
    assert told.startswith(level) and "Make room" in told


def test_a_spool_that_is_not_empty(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    settings.spool_dir.mkdir(parents=True)
    for name in ("current.jsonl", "rejected.jsonl"):
        (settings.spool_dir / name).write_text(json.dumps({}) + "\n")
    refused, waiting = faults(settings, "spool")
    assert "the database refused" in refused and "running server" in waiting


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_wrong(
    seconds: int, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer() as server:
        settings = make_settings(redis_url=server.url)
        monkeypatch.setattr(doctor, "utc_now", lambda: utc_now() + timedelta(seconds=seconds))
        [told] = faults(settings, "clock")
    assert told.startswith("FAULT") and "of Redis" in told if seconds > 0 else "behind Redis" in told


def test_a_clock_that_was_put_back(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    later = time.time() + 3600
    os.utime(settings.data_dir / "milia.db", (later, later))
    [told] = faults(settings, "clock")
    assert told.startswith("FAULT") and "NTP" in told
