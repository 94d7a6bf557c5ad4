"""The candidate and the live release have the same conversation; they stay loaded while somebody talks with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.publishing.trial import Trial
from bot.release_model import PublishError, RehearsedTurn
from tests.publishing.conftest import KIM, Project
from tests.publishing.test_runner import write

PARKING = "is there a car park"


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


def replies(turns: list[RehearsedTurn]) -> list[str]:
    return [reply.text for turn in turns for reply in turn.replies]


def test_both_have_the_same_conversation(project: Project, trial: Trial, candidate: str):
    live = project.store.live_release().id
    said = [PARKING, "is it raining"]
    first, second = trial.talk(live, candidate, said)
    assert [turn.said for turn in first] == [turn.said for turn in second] == said
    assert replies(first) == ["unknown, 1", "unknown, 2"]
    assert replies(second) == ["faq/parking, 1", "unknown, 2"]
    process = trial._rehearsal
    trial.talk(live, candidate, [PARKING])
    assert trial._rehearsal is process
    assert replies(trial.talk(candidate, live, [PARKING])[0]) == ["faq/parking, 1"]


def test_a_conversation_goes_on_after_the_models_were_put_away(
    project: Project, trial: Trial, candidate: str
):
    live = project.store.live_release().id
    trial.talk(live, candidate, [PARKING])
    trial.stop()
    assert not (project.settings.data_dir / "trial").exists()
    assert replies(trial.talk(live, candidate, [PARKING, PARKING])[1])[1] == "faq/parking, 2"


def test_a_process_that_died_is_told_and_started_again(project: Project, trial: Trial, candidate: str):
    live = project.store.live_release().id
    trial.talk(live, candidate, [PARKING])
    trial._rehearsal.child.kill()
    assert replies(trial.talk(live, candidate, [PARKING])[1]) == ["faq/parking, 1"]
    with pytest.raises(PublishError, match="can't be asked just now"):
        trial.talk(live, candidate, ["die"])
    assert replies(trial.talk(live, candidate, [PARKING])[1]) == ["faq/parking, 1"]


def test_a_candidate_that_is_gone_is_told_and_leaves_others_as_they_are(
    project: Project, trial: Trial, candidate: str
):
    live = project.store.live_release().id
    trial.talk(live, candidate, [PARKING])
    with pytest.raises(PublishError, match="not kept any more"):
        trial.talk(live, "f" * 32, ["is it raining"])
    assert replies(trial.talk(live, candidate, [PARKING])[1]) == ["faq/parking, 1"]
