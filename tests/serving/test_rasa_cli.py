"""Rasa's command line works as it is, without TensorFlow and without reporting home."""

import subprocess
import sys
from pathlib import Path

from tests.serving.conftest import environment, rasa


def test_data_validate(project: Path) -> None:
    done = rasa(project, "data", "validate", "--fail-on-warnings")
    assert done.returncode == 0, done.stderr
    (project / "data/stories.yml").write_text(
        "version: '3.1'\nrules:\n- rule: a\n  steps: [{intent: nix}, {action: nix}]\n"
    )
    assert rasa(project, "data", "validate", "--fail-on-warnings").returncode == 1


def test_test_core_and_nlu(project: Path) -> None:
    (project / "tests").mkdir()
    story = "stories:\n- story: hi\n  steps:\n  - user: hello\n    intent: greet\n  - action: {}\n"
    (project / "tests/test_stories.yml").write_text(story.format("utter_greet"))
    command = ["test", "--stories", "tests", "--nlu", "data/nlu.yml", "--fail-on-prediction-errors"]
    done = rasa(project, *command)
    assert done.returncode == 0, done.stderr
    assert (project / "results/intent_confusion_matrix.png").is_file()
    (project / "tests/test_stories.yml").write_text(story.format("utter_booked"))
    assert rasa(project, *command).returncode == 1


def test_a_component_that_needs_tensorflow_is_refused_in_one_sentence(project: Path) -> None:
    config = (project / "config.yml").read_text()
    pipeline = "  - name: WhitespaceTokenizer\n  - name: CountVectorsFeaturizer\n  - name: DIETClassifier\n"
    (project / "config.yml").write_text(config.replace("  - name: KeywordIntentClassifier\n", pipeline))
    done = rasa(project, "train", "nlu", "--quiet")
    assert done.returncode == 1
    assert "TensorFlow is not part of this project (docs/decisions/0001-no-tensorflow.md)" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_reported_home_or_written_there(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(
        [sys.executable, "-m", "bot.serving.rasa_cli", "data", "validate"],
        cwd=project,
        env=environment(HOME=str(home)),
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert not (home / ".config/rasa").exists()
