"""The candidate and the live release are asked the same; they stay loaded while somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.publishing.trial import Trial
from bot.release_model import Answered, Outcome, PublishError
from tests.publishing.conftest import KIM, Project
from tests.publishing.test_runner import write

UNKNOWN = Outcome(Answered.REFUSES, ("out_of_scope",))
PARKING = Outcome(Answered.TOPIC, ("faq/parking",))


@pytest.fixture
def trial(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setattr("bot.publishing.children.sys.executable", str(project.python))
    trial = Trial(project.store, project.settings)
    yield trial
    trial.stop()


@pytest.fixture
def candidate(project: Project) -> str:
    write(project)
    run = project.publishing.start(KIM, hold=True)
    assert project.work().startswith("ready")
    return str(project.store.a_run(run.id).release_id)


def test_the_same_question_gets_two_answers(project: Project, trial: Trial, candidate: str):
    live = project.store.live_release().id
    assert trial.ask(live, candidate, "is there a car park") == (UNKNOWN, PARKING)
    first = trial._judge
    assert trial.ask(live, candidate, "is it raining") == (UNKNOWN, UNKNOWN)
    assert trial._judge is first
    assert trial.ask(candidate, live, "is there a car park") == (PARKING, UNKNOWN)


def test_a_process_that_died_is_started_again(project: Project, trial: Trial, candidate: str):
    live = project.store.live_release().id
    trial.ask(live, candidate, "is it raining")
    trial._judge.child.kill()
    assert trial.ask(live, candidate, "is there a car park") == (UNKNOWN, PARKING)


def test_a_candidate_that_is_gone_is_told(project: Project, trial: Trial):
    with pytest.raises(PublishError, match="not kept any more"):
        trial.ask(project.store.live_release().id, "f" * 32, "is it raining")
