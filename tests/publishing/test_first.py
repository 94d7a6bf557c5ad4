"""What happens at a start: new files become a release, and what staff published stays with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.model_inputs import LIVE_FOLDER, digest_of_inputs
from bot.publishing.first import register
from bot.publishing.runner import sha256
from bot.release_model import Decisions
from bot.store.plain import to_plain
from tests.publishing.conftest import KIM, Project
from tests.publishing.test_runner import PARKING, write


@pytest.fixture
def base(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model of the files alone; what trains and judges is the double."""
    monkeypatch.setattr("bot.publishing.children.sys.executable", str(project.python))
    path = project.folder / "base.tar.gz"
    path.write_text(json.dumps(to_plain(Decisions())) + "\n")
    return path


def published(project: Project) -> None:
    write(project)
    project.publishing.start(KIM)
    assert project.work().startswith("live")


def update(project: Project) -> str:
    (project.folder / "data/nlu.yml").write_text('nlu: [{intent: faq/pain, examples: "- is it sore\\n"}]')
    return digest_of_inputs(project.folder)


def kept(project: Project) -> list[str]:
    return [path.name for path in (project.settings.data_dir / LIVE_FOLDER).glob("*")]


def test_nothing_changes_when_the_files_have_a_release(project: Project, base: Path):
    before = project.store.live_release()
    register(project.store, project.settings, base)
    assert project.store.live_release() == before


def test_new_files_are_a_release_when_nothing_was_ever_published(project: Project, base: Path):
    inputs = update(project)
    register(project.store, project.settings, base)
    live = project.store.live_release(inputs)
    assert (live.kind, live.number, live.digest) == ("repository", 2, sha256(base))
    assert kept(project) == []  # servers have it in their folder of models


def test_what_was_published_is_trained_with_new_files_and_lies_ready(project: Project, base: Path):
    published(project)
    write(project, examples=(*PARKING, "not published yet"))
    inputs = update(project)
    register(project.store, project.settings, base)
    live = project.store.live_release(inputs)
    assert live.kind == "update"
    assert live.decisions.topics[0].examples == PARKING
    assert live.digest in kept(project)[0]
    assert project.store.list_runs()[0].kind == "update"


def test_differences_of_an_update_are_reported_and_do_not_stop_it(project: Project, base: Path):
    write(project, examples=(*PARKING, "do you sell tents"))
    run = project.publishing.start(KIM)
    project.work()
    project.publishing.accept(run.id, "do you sell tents", KIM, "we do")
    project.publishing.publish(run.id, KIM)
    inputs = update(project)
    register(project.store, project.settings, base)
    assert project.store.live_release(inputs).kind == "update"
    assert [one.key for one in project.store.list_runs()[0].report.refusals] == ["do you sell tents"]


def test_the_files_alone_are_live_when_that_training_fails(project: Project, base: Path):
    published(project)
    inputs = update(project)
    (project.folder / "fail-training").touch()
    register(project.store, project.settings, base)
    assert project.store.live_release(inputs).kind == "repository"
    assert "training failed" in project.store.list_runs()[0].reason


def test_an_update_that_was_interrupted_is_taken_up_at_the_next_start(project: Project, base: Path):
    published(project)
    inputs = update(project)
    reached = project.hold("training")
    (project.folder / "start.py").write_text(
        "import sys; from pathlib import Path; from bot.publishing.first import register\n"
        "from bot.settings import load_settings; from bot.store.staff_store import StaffStore\n"
        f"sys.executable = {str(project.python)!r}; settings = load_settings()\n"
        f"register(StaffStore(settings.store_url), settings, Path({str(base)!r}))\n"
    )
    process = project.start("start.py")
    reached()
    process.kill()
    process.communicate()
    assert project.store.live_release(inputs) is None
    project.let_go()
    project.forget_owner()
    register(project.store, project.settings, base)
    assert project.store.live_release(inputs).kind == "update"
