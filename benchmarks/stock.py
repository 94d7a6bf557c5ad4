"""Rasa as `rasa init` gives it: its own environment with TensorFlow, its pipeline and policies, this project's data.

What people would make of the same examples and answers with Rasa's defaults: every intent has a response and a rule.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.clinic import load_clinic
from bot.reply import to_reply
from bot.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
LOCK = "requirements-bench.txt"
DEFAULT_CONFIG = "engine/recipes/config_files/default_config.yml"
"""Where Rasa keeps what `rasa init` trains with, in its package."""

EPOCHS = 100
"""Passes over the data that each of Rasa's neural components makes by default."""

FEW = 25
"""Examples of each topic that Rasa's defaults are trained on, with all of their passes. With all 15,000 examples they train
for hours on two cores, and with fewer passes they doubt most messages; what serving costs hardly depends on it."""

OUT_OF_SCOPE = 8
"""How many times as many out of scope, which is not one topic."""

QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
SMALL_TALK = ("greet", "faq", "thank", "goodbye")
"""The one story: without any, Rasa's neural policies have nothing to learn."""


class Environment:
    """The Python that Rasa's defaults run on. python: one that is there; None makes `.venv-bench` when it is missing."""

    def __init__(self, python: Path | None = None) -> None:
        self.python = python or _installed()

    def package(self) -> Path:
        """The folder of Rasa's package."""
        code = "import importlib.util as u; print(u.find_spec('rasa').submodule_search_locations[0])"
        done = subprocess.run(
            [self.python, "-c", code], capture_output=True, text=True, check=True, env=clean_environment()
        )
        return Path(done.stdout.strip())

    def train(self, project: Path) -> float:
        """Trains a project from nothing; seconds."""
        for made in ("models", ".rasa"):
            shutil.rmtree(project / made, ignore_errors=True)
        return timed([str(self.python), "-m", "rasa", "train"], project, QUIET)


def _installed() -> Path:
    sys.path.insert(0, str(ROOT))
    import bootstrap

    @dataclass(frozen=True)
    class BenchCheckout(bootstrap.Checkout):
        """The same checkout, with another environment beside the project's own."""

        @property
        def venv(self) -> Path:
            return self.root / ".venv-bench"

        def requirements(self, dev: bool) -> Path:
            return self.root / LOCK

    checkout = BenchCheckout(ROOT)
    try:
        with bootstrap.locked(checkout):
            if not bootstrap.is_installed(checkout, dev=False):
                bootstrap.install(checkout, dev=False)
    except bootstrap.SetupError as error:
        raise SystemExit(str(error)) from None
    return checkout.python


# ------------------------------------------------------------ projects


def write_project(folder: Path, environment: Environment, nlu: Path, epochs: int = EPOCHS) -> Path:
    """A project of Rasa's defaults for these examples, in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    blocks = list(intents(nlu))
    names = list(dict.fromkeys(name.partition("/")[0] for name, _ in blocks))
    shutil.copy(nlu, folder / "data" / "nlu.yml")
    replies = responses(name for name, _ in blocks)
    actions = {name: "utter_faq" if name == "faq" else f"utter_{name}" for name in names}
    _write(
        folder / "domain.yml",
        {"version": "3.1", "intents": names, "actions": ["utter_faq"], "responses": replies},
    )
    rules = [
        {"rule": name, "steps": [{"intent": name}, {"action": action}]} for name, action in actions.items()
    ]
    _write(folder / "data" / "rules.yml", {"version": "3.1", "rules": rules})
    told = [name for name in SMALL_TALK if name in actions] or names[:2]
    steps = [step for name in told for step in ({"intent": name}, {"action": actions[name]})]
    _write(
        folder / "data" / "stories.yml",
        {"version": "3.1", "stories": [{"story": "small talk", "steps": steps}]},
    )
    _write(folder / "config.yml", default_config(environment, epochs))
    _write(folder / "credentials.yml", {"rest": None})
    return folder


def write_few(path: Path, nlu: Path, number: int) -> Path:
    """A training file with the first so many examples of each intent; several times as many out of scope."""
    most = {"out_of_scope": number * OUT_OF_SCOPE}
    return write_examples(
        path, [(text, name) for name, texts in intents(nlu) for text in texts[: most.get(name, number)]]
    )


def write_examples(path: Path, examples: Sequence[tuple[str, str]]) -> Path:
    """A training file of texts and intents."""
    by_intent: dict[str, list[str]] = {}
    for text, intent in examples:
        by_intent.setdefault(intent, []).append(text)
    blocks: list[dict[str, Any]] = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in by_intent.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, {"version": "3.1", "nlu": blocks})
    return path


def default_config(environment: Environment, epochs: int = EPOCHS) -> dict[str, Any]:
    """The pipeline and policies that `rasa init` trains, written out."""
    config: dict[str, Any] = yaml.safe_load((environment.package() / DEFAULT_CONFIG).read_text())
    for part in (*config["pipeline"], *config["policies"]):
        if "epochs" in part:
            part["epochs"] = epochs
    return {**config, "assistant_id": "defaults"}


def intents(nlu: Path) -> Iterator[tuple[str, list[str]]]:
    """The intents of a training file with their examples."""
    for block in yaml.safe_load(nlu.read_text(encoding="utf-8"))["nlu"]:
        if "intent" in block:
            lines = block["examples"].splitlines()
            yield block["intent"], [line[2:].strip() for line in lines if line.startswith("- ")]


def responses(names: Iterator[str]) -> dict[str, list[dict[str, str]]]:
    """A response for each intent: what this project says, with its links in the text."""
    clinic = load_clinic(load_settings().clinic_file)
    said = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    texts = {}
    for name in names:
        variants = said.get(f"utter_{name}") or said["utter_out_of_scope"]
        reply = to_reply(variants[0], clinic)
        texts[f"utter_{name}"] = [{"text": "\n".join([reply.text, *(link.target for link in reply.links)])}]
    return texts


def _write(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


# ------------------------------------------------------------ running things


def clean_environment() -> dict[str, str]:
    """This environment without what would change a server: the project's settings, and what keeps Python from compiling."""
    dropped = ("MILIA_", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "MAKE", "MFLAGS", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def train_ours(folder: Path) -> float:
    """Trains this project's model on its own data, as `make train` does; seconds."""
    settings = {"MILIA_DATA_DIR": str(folder / "var"), "MILIA_MODELS_DIR": str(folder / "models")}
    shutil.rmtree(folder, ignore_errors=True)
    return timed([sys.executable, "-m", "bot", "train", "--force"], ROOT, settings)


def timed(command: list[str], where: Path, settings: dict[str, str]) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=where,
        env={**clean_environment(), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started
