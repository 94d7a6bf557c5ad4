"""When the model is trained, and when not. Training itself is a program that writes what Rasa would."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.model_inputs import digest_of_inputs
from bot.settings import load_settings
from bot.training import KEPT, TrainingError, ensure_model
from tests.conftest import environment

TRAINER = """
import pathlib, sys
words = sys.argv
assert words[1:5] == ["-m", "bot", "rasa", "train"], words
out, name = (words[words.index(flag) + 1] for flag in ("--out", "--fixed-model-name"))
if pathlib.Path("broken").exists():
    sys.exit("no such intent")
pathlib.Path(out).mkdir()
pathlib.Path(out, name + ".tar.gz").write_text(pathlib.Path("config.yml").read_text())
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("config.yml", "domain.yml", "data/nlu.yml", "bot/components/one.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    trainer = tmp_path / "python"
    trainer.write_text(f"#!{sys.executable}\n{TRAINER.strip()}\n")
    trainer.chmod(0o755)
    monkeypatch.setattr("bot.training.sys.executable", str(trainer))
    return tmp_path


@pytest.fixture
def train(project):
    settings = load_settings(
        environment(data_dir=project / "var", models_dir=project / "models"), project / "none"
    )
    return lambda **how: ensure_model(settings, lambda _: None, **how)


def models(project: Path) -> list[Path]:
    return sorted((project / "models").glob("*.tar.gz"))


def test_once_and_not_again(project, train):
    assert train() is True
    assert len(models(project)) == 1
    assert train() is False


@pytest.mark.parametrize(
    "name", ["config.yml", "domain.yml", "data/nlu.yml", "data/new.yml", "bot/components/one.py"]
)
def test_again_when_an_input_changes(project, train, name):
    train()
    (project / name).write_text("changed")
    assert train() is True
    assert train() is False


def test_not_when_something_else_changes(project, train):
    train()
    (project / "bot/components/__pycache__").mkdir()
    (project / "bot/components/__pycache__/one.pyc").write_text("compiled")
    (project / "README.md").write_text("new")
    assert train() is False


def test_again_when_the_model_is_gone_or_when_told_to(project, train):
    train()
    assert train(force=True) is True
    models(project)[0].unlink()
    assert train() is True


def test_a_failure_keeps_the_old_model_and_says_where_the_reason_is(project, train):
    train()
    before = {path.name: path.read_text() for path in models(project)}
    (project / "config.yml").write_text("changed")
    (project / "broken").touch()
    with pytest.raises(TrainingError, match=r"train\.log"):
        train()
    assert "no such intent" in (project / "var/log/train.log").read_text()
    assert {path.name: path.read_text() for path in models(project)} == before
    (project / "broken").unlink()
    assert train() is True


def test_a_few_old_ones_are_kept(project, train):
    for turn in range(KEPT + 2):
        (project / "config.yml").write_text(str(turn))
        train()
    assert len(models(project)) == KEPT
    assert str(KEPT + 1) in [path.read_text() for path in models(project)]


def test_renaming_is_a_change(project):
    before = digest_of_inputs(project)
    (project / "data/nlu.yml").rename(project / "data/other.yml")
    assert digest_of_inputs(project) != before
