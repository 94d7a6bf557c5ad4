"""A publish run in a process of its own, killed at every step: it goes on elsewhere, or nothing has changed."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from bot.answer_model import Answer
from bot.publishing.work import PublishWork
from bot.release_model import RunState
from tests.publishing.conftest import KIM, Project

PARKING = ("may I park there", "is there a car park", "where do I leave the car")


def write(project: Project, topic: str = "faq/parking", examples: tuple[str, ...] = PARKING) -> None:
    standing = project.store.answer_standing(topic)
    before = standing.latest.revision if standing else 0
    project.store.save(Answer(topic, "Parking", "Behind the house.", (), examples), before, KIM)


def gone(pid: int) -> bool:
    """Whether a process has ended, or is about to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def goes(pid: int) -> bool:
    """Waits until a process whose parent is dead has ended, too; whether it has."""
    end = time.monotonic() + 20
    while not gone(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return gone(pid)


def live(project: Project) -> int:
    return project.store.live_release().number


def test_what_staff_decided_is_trained_tested_and_live(project: Project):
    write(project)
    run = project.publishing.start(KIM)
    said = project.work()
    assert said.startswith("live (validating "), said
    assert live(project) == 2
    ended = project.store.a_run(run.id)
    assert set(ended.seconds) == {"validating", "training", "testing"}
    assert (ended.report.questions, ended.report.right_candidate) == (3, 3)
    assert project.publishing.pending().changes == ()
    assert not list((project.settings.data_dir / "publishing").iterdir())


@pytest.mark.parametrize("step", ["validating", "training", "testing"])
def test_killed_at_a_step_nothing_changes_and_another_process_finishes(project: Project, step: str):
    write(project)
    run = project.publishing.start(KIM)
    reached = project.hold(step)
    first = project.start()
    child = reached()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert goes(child), "what it had started outlived it"
    assert live(project) == 1
    assert project.store.active_run().id == run.id
    assert project.work() == "Nothing waits to be published.\n"  # its lease still runs
    project.let_go()
    project.forget_owner()
    assert project.work().startswith("live")
    assert (live(project), project.store.a_run(run.id).attempts) == (2, 2)
    assert not list((project.settings.data_dir / "publishing").iterdir())


def test_killed_twice_it_is_given_up_and_says_so(project: Project):
    write(project)
    run = project.publishing.start(KIM)
    reached = project.hold("training")
    for _ in range(2):
        process = project.start()
        reached()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        (project.folder / "at-training").unlink()
        project.forget_owner()
    assert project.work() == "Nothing waits to be published.\n"
    ended = project.store.a_run(run.id)
    assert ended.state is RunState.FAILED
    assert "interrupted twice" in ended.reason and "Nothing has changed" in ended.reason
    assert live(project) == 1
    project.let_go()
    project.publishing.start(KIM)
    assert project.work().startswith("live")


def test_a_killed_child_ends_the_run_as_failed(project: Project):
    write(project)
    run = project.publishing.start(KIM)
    reached = project.hold("training")
    process = project.start()
    os.kill(reached(), signal.SIGKILL)
    assert "training failed" in process.communicate(timeout=60)[0]
    assert project.store.a_run(run.id).state is RunState.FAILED
    assert live(project) == 1


def test_staff_stop_a_run_and_its_processes_end(project: Project):
    write(project)
    run = project.publishing.start(KIM)
    reached = project.hold("training")
    process = project.start()
    child = reached()
    project.publishing.cancel(run.id, KIM)
    process.communicate(timeout=60)  # it finds out when it renews its lease
    assert goes(child)
    assert "Kim stopped it" in project.store.a_run(run.id).reason
    assert live(project) == 1


def test_a_question_that_would_be_answered_worse_refuses_the_publish(project: Project):
    write(project, examples=(*PARKING, "does it hurt", "do you sell tents"))
    run = project.publishing.start(KIM)
    assert project.work().startswith("refused")
    ended = project.store.a_run(run.id)
    assert {one.key for one in ended.report.refusals} == {"does it hurt", "do you sell tents"}
    assert ended.reason == "2 questions are answered worse than now. Nothing has changed."
    assert live(project) == 1
    for one in ended.report.refusals:
        project.publishing.accept(run.id, one.key, KIM, "we sell tents and pain")
    project.publishing.publish(run.id, KIM)
    assert live(project) == 2


def test_decisions_that_contradict_each_other_are_refused_before_any_training(project: Project):
    write(project, examples=(*PARKING, "Will it be painful?"))
    write(project, "faq/cars", examples=("may I park there?", "a car"))
    run = project.publishing.start(KIM)
    (project.folder / "fail-validating").touch()  # nobody trains
    project.work()
    ended = project.store.a_run(run.id)
    assert ended.state is RunState.REFUSED
    assert "“Will it be painful?” is an example of “Parking” and of “Does it hurt?”" in ended.reason
    assert "2 example questions" in ended.reason


def test_a_held_candidate_waits_for_somebody(project: Project):
    write(project)
    run = project.publishing.start(KIM, hold=True)
    assert project.work().startswith("ready")
    assert live(project) == 1
    project.publishing.publish(run.id, KIM)
    assert live(project) == 2


def test_files_that_changed_meanwhile_are_told(project: Project):
    write(project)
    run = project.publishing.start(KIM)
    (project.folder / "domain.yml").write_text("responses: {}")
    project.work()
    assert "files changed" in project.store.a_run(run.id).reason


def test_the_staff_app_starts_a_process_for_a_run_and_only_one(project: Project, monkeypatch):
    started = threading.Event()

    class Process:
        def __init__(self, command, **_):
            assert command[1:] == ["-m", "bot", "publish"]
            assert not started.is_set()
            started.set()

        def poll(self):
            return None

        def kill(self):
            pass

        wait = kill

    work = PublishWork(project.store, project.settings)
    monkeypatch.setattr("bot.publishing.work.subprocess.Popen", Process)
    work.look()
    assert not started.is_set()
    write(project)
    project.publishing.start(KIM)
    work.look()
    work.look()
    assert started.is_set()
    work.stop()
