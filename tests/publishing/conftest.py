"""A project in a folder, its database, and a process that works on its publish runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.clinic import load_clinic
from bot.model import utc_now
from bot.publishing.desk import Publishing
from bot.publishing.runner import sha256
from bot.release_model import Decisions, Release
from bot.review_model import Who
from bot.settings import Settings, load_settings
from bot.store.plain import to_plain
from bot.store.release_tables import publish_runs
from bot.store.staff_store import StaffStore
from bot.topics import load_topics
from tests.conftest import ROOT, environment

PYTHON = sys.executable
KIM = Who("Kim", "k" * 32)
DOMAIN = """
responses:
  utter_faq/pain: [{text: "Hardly.", metadata: {title: "Does it hurt?"}}]
  utter_out_of_scope: [{text: "I don't know."}]
"""
NLU = 'nlu: [{intent: faq/pain, examples: "- will it be painful\\n"}]'
GOLDEN = "faq/pain: [does it hurt]\nout_of_scope: [do you sell tents, is it raining]"


@dataclass
class Project:
    """A folder as the project's, with a database and a release of its files alone."""

    folder: Path
    settings: Settings
    store: StaffStore
    variables: dict[str, str]
    python: Path

    @property
    def publishing(self) -> Publishing:
        clinic = load_clinic(self.settings.clinic_file)
        return Publishing(self.store, lambda: load_topics(clinic, {a.topic: a for a in self.store.answers()}))

    def start(self, program: str = "") -> subprocess.Popen[str]:
        """A process that works on the run that waits, or another program of the folder."""
        program = program or str(ROOT / "tests/programs/publish_one.py")
        return subprocess.Popen(
            [PYTHON, program, str(self.python)],
            cwd=self.folder,
            env={**self.variables, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def work(self) -> str:
        """What a process that worked on the run said at its end."""
        return self.start().communicate(timeout=60)[0]

    def hold(self, step: str) -> Callable[[], int]:
        """Stops the work at a step; what is returned waits until it has come there, and gives the process id."""
        (self.folder / f"hold-{step}").touch()

        def reached() -> int:
            mark = self.folder / f"at-{step}"
            end = time.monotonic() + 60
            while not mark.exists():
                assert time.monotonic() < end, f"it never came to {step}"
                time.sleep(0.02)
            return int(mark.read_text())

        return reached

    def let_go(self) -> None:
        for mark in [*self.folder.glob("hold-*"), *self.folder.glob("at-*")]:
            mark.unlink()

    def forget_owner(self) -> None:
        """Its process has not been heard of for long."""
        late = sa.update(publish_runs).values(lease_until=utc_now() - timedelta(minutes=1))
        self.store._write(lambda c: c.execute(late.where(publish_runs.c.lease_until.is_not(None))))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    folder = tmp_path / "project"
    files = {"config.yml": "", "domain.yml": DOMAIN, "data/nlu.yml": NLU, "gate/golden.yml": GOLDEN}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    python = tmp_path / "python"
    double = (ROOT / "tests/programs/models_double.py").read_text()
    python.write_text(f"#!{PYTHON}\n{double}")
    python.chmod(0o755)
    variables = environment(data_dir=tmp_path / "var", clinic_file=ROOT / "clinic.yml", releases_kept=3)
    settings = load_settings(variables, tmp_path / "none")
    store = StaffStore(settings.store_url)
    store.migrate()
    project = Project(folder, settings, store, variables, python)
    base = tmp_path / "base.tar.gz"
    base.write_text(json.dumps(to_plain(Decisions())))
    made = Release(project.publishing.inputs, sha256(base), base.stat().st_size, kind="repository")
    store.register_release(made, base, KIM)
    yield project
    store.close()
