"""A small trained project, so that these tests need nothing else of the repository."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.serving.standin import install

install()

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def train(project: Path, name: str) -> Path:
    """Train the small project under `project` as its own process would, and return the model."""
    done = subprocess.run(
        [sys.executable, "-m", "bot.serving.rasa_cli", "train", "--quiet", "--fixed-model-name", name],
        cwd=project,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return project / "models" / f"{name}.tar.gz"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small project in it, trained."""
    import shutil

    folder = tmp_path_factory.mktemp("small") / "project"
    shutil.copytree(HERE / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    train(folder, "small")
    return folder


@pytest.fixture(scope="session")
def model(project: Path) -> Path:
    return project / "models" / "small.tar.gz"
