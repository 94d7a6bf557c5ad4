"""Makes what the assistant needs on this machine: Python 3.10, `.venv` with its packages, the encoder.

The Makefile runs this before anything else. It runs on any Python from 3.9, needs nothing but the standard
library, and does only what is not done yet: what was installed is written down in `.venv/installed.json`,
last, so that an interrupted set-up is seen and made again.

    python3 bootstrap.py               what running takes
    python3 bootstrap.py --dev         and what developing and testing take
    python3 bootstrap.py --browser     and a Chromium for the browser tests
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = "3.10"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT_FOLDERS = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
# Anything that would make Python load other packages than those of `.venv`, or not keep its compiled files.
NOT_FOR_CHILDREN = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "UV_PYTHON",
)


class SetupError(Exception):
    """The set-up can't go on. The message says in a sentence or two what is wrong and what to do."""


@dataclass(frozen=True)
class Checkout:
    """Where things are in one copy of the project."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.venv / "installed.json"

    @property
    def tools(self) -> Path:
        """uv, the log and the lock: what the set-up itself needs."""
        return self.root / ".venv-setup"

    @property
    def log(self) -> Path:
        return self.tools / "setup.log"

    def requirements(self, dev: bool) -> Path:
        return self.root / ("requirements-dev.txt" if dev else "requirements.txt")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Sets this checkout up, as far as it isn't yet.")
    parser.add_argument("--dev", action="store_true", help="with the packages for developing and testing")
    parser.add_argument("--browser", action="store_true", help="with a Chromium for the browser tests")
    chosen = parser.parse_args(arguments)
    checkout = Checkout(Path(__file__).resolve().parent)
    try:
        with locked(checkout):
            set_up(checkout, dev=chosen.dev or chosen.browser, browser=chosen.browser)
    except SetupError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("The set-up was interrupted; run the command again to go on.", 130)
    except OSError as error:
        return _fail(f"The set-up stopped: {error}.")
    return 0


def set_up(checkout: Checkout, dev: bool = False, browser: bool = False) -> None:
    """Make what is missing; the encoder looks after itself."""
    if not is_installed(checkout, dev):
        install(checkout, dev)
        say("The packages are installed.")
    if not (checkout.root / "build" / "encoder" / "manifest.json").is_file():
        say("Preparing the sentence encoder (a few seconds, once) ...")
    if not run(checkout, [checkout.python, "-m", "bot", "build-encoder"]):
        raise SetupError(f"The sentence encoder could not be prepared; {checkout.log} says why.")
    if browser:
        ensure_browser(checkout)


# ---------------------------------------------------------------- packages


def is_installed(checkout: Checkout, dev: bool) -> bool:
    """Whether `.venv` is whole, was made here, and holds the packages that the requirements ask for now."""
    stamp = _read_stamp(checkout)
    if stamp.get("folder") != str(checkout.venv) or not checkout.python.exists():
        return False
    return stamp.get("requirements") == digest(checkout.requirements(False)) and (
        not dev or stamp.get("requirements-dev") == digest(checkout.requirements(True))
    )


def install(checkout: Checkout, dev: bool) -> None:
    """Make `.venv`, or bring a whole one up to date. Development packages that are there stay."""
    stamp = _read_stamp(checkout)
    whole = stamp.get("folder") == str(checkout.venv) and _version(checkout.python) == PYTHON
    dev = dev or bool(whole and stamp.get("requirements-dev"))
    python = find_python(os.environ)
    uv = ensure_uv(checkout, python)
    if python is None:
        python = download_python(checkout, uv)
    with contextlib.suppress(FileNotFoundError):
        checkout.stamp.unlink()  # from here to the end it is half made
    say("Installing the packages (a minute or two the first time) ...")
    requirements = checkout.requirements(dev)
    if not (uv and _install_with_uv(checkout, uv, python, requirements, keep=whole)):
        _install_with_pip(checkout, python, requirements)
    written = {
        "folder": str(checkout.venv),
        "requirements": digest(checkout.requirements(False)),
        "requirements-dev": digest(checkout.requirements(True)) if dev else None,
    }
    scratch = checkout.stamp.with_suffix(".new")
    scratch.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    os.replace(scratch, checkout.stamp)


# The locks leave out what Rasa asks for and this project never loads (requirements-overrides.txt), so
# neither uv nor pip may add what a package says it depends on.
def _install_with_uv(checkout: Checkout, uv: Path, python: str, requirements: Path, keep: bool) -> bool:
    if not keep and not run(checkout, [uv, "venv", "--clear", "--python", python, checkout.venv]):
        return False
    command = [
        uv,
        "pip",
        "sync",
        "--python",
        checkout.python,
        "--require-hashes",
        "--compile-bytecode",
        requirements,
    ]
    return run(checkout, command)


def _install_with_pip(checkout: Checkout, python: str, requirements: Path) -> None:
    say("Going on with pip, which takes a few minutes ...")
    pip = [
        checkout.python,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "--compile",
        "-r",
        requirements,
    ]
    if not run(checkout, [python, "-m", "venv", "--clear", checkout.venv]) or not run(checkout, pip):
        raise SetupError(
            "The packages could not be installed: is the network, or the package index that pip is set up "
            f"for, within reach? {checkout.log} has the details."
        )


def ensure_uv(checkout: Checkout, python: str | None) -> Path | None:
    """The locked version of uv, in a folder of its own; None when this machine can't have it."""
    lock = checkout.root / "requirements-uv.txt"
    folder = checkout.tools / "uv"
    stamp = folder / "installed"
    uv = folder / "bin" / "uv"
    if stamp.is_file() and stamp.read_text() == digest(lock) and run(checkout, [uv, "--version"]):
        return uv
    # Debian's own Python comes without what `venv` needs; the other one often has it.
    for interpreter in dict.fromkeys(p for p in (sys.executable, python) if p):
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--no-deps", "--require-hashes"]
        if run(checkout, [interpreter, "-m", "venv", "--clear", folder]) and run(
            checkout, [*pip, "--only-binary", ":all:", "-r", lock]
        ):
            stamp.write_text(digest(lock))
            return uv
    found = shutil.which("uv")
    return Path(found) if found else None


# ---------------------------------------------------------------- Python


def find_python(environ: Mapping[str, str]) -> str | None:
    """A Python 3.10 of this machine that really runs: on PATH, this one, or the newest of pyenv's."""
    for candidate in _candidates(environ):
        # Run, because pyenv puts a `python3.10` on PATH that fails when another version is chosen.
        if _version(candidate) == PYTHON:
            return str(candidate)
    return None


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    for folder in environ.get("PATH", "").split(os.pathsep):
        # Not a Python of a virtual environment: ours is about to be replaced, others may go away.
        if folder and not (Path(folder).parent / "pyvenv.cfg").exists():
            yield Path(folder) / f"python{PYTHON}"
    yield Path(
        sys.executable if sys.prefix == sys.base_prefix else getattr(sys, "_base_executable", sys.executable)
    )
    pyenv = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "~")).expanduser() / ".pyenv")
    versions = pyenv.glob(f"versions/{PYTHON}.*/bin/python")
    yield from sorted(
        versions, key=lambda path: [int(n) for n in path.parts[-3].split(".") if n.isdigit()], reverse=True
    )


def _version(python: Path) -> str:
    """Major and minor version of an interpreter; empty when it doesn't run or lacks what is needed."""
    code = "import sys, ssl, sqlite3, ctypes; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [str(python), "-c", code], capture_output=True, text=True, timeout=60, env=child_environment()
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def download_python(checkout: Checkout, uv: Path | None) -> str:
    """uv's own build of Python 3.10."""
    if uv:
        say(f"Downloading Python {PYTHON} ...")
        if run(checkout, [uv, "python", "install", PYTHON]):
            find = [str(uv), "python", "find", "--managed-python", PYTHON]
            found = subprocess.run(find, capture_output=True, text=True, env=child_environment())
            if found.returncode == 0:
                return found.stdout.strip()
    raise SetupError(
        f"Python {PYTHON} was not found and could not be downloaded. Install it, for example with "
        f"`pyenv install {PYTHON}`, and run the command again."
    )


# ---------------------------------------------------------------- browser


def ensure_browser(checkout: Checkout) -> None:
    """A Chromium for the browser tests. Never left out silently: tests not run look like tests passed."""
    if has_browser():
        return
    say("Installing Chromium for the browser tests ...")
    if shutil.which("apt-get") and os.geteuid() == 0:
        run(checkout, ["apt-get", "-qq", "update"])
        run(checkout, ["apt-get", "-qq", "install", "-y", "chromium"])
    if not has_browser():
        run(checkout, [checkout.python, "-m", "playwright", "install", "chromium"])
    if not has_browser():
        raise SetupError(
            f"The browser tests need Chromium, and it could not be installed ({checkout.log}). "
            "Install it so that `chromium` is on the PATH, and run the command again."
        )


def has_browser() -> bool:
    folders = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""), *PLAYWRIGHT_FOLDERS]
    return any(map(shutil.which, BROWSERS)) or any(
        list(Path(folder).expanduser().glob("chromium-*/INSTALLATION_COMPLETE"))
        for folder in folders
        if folder
    )


# ---------------------------------------------------------------- helpers


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_stamp(checkout: Checkout) -> dict[str, Any]:
    try:
        return dict(json.loads(checkout.stamp.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def child_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_FOR_CHILDREN}
    return {**kept, "PYTHONNOUSERSITE": "1", "DEBIAN_FRONTEND": "noninteractive"}


def run(checkout: Checkout, command: list[Any]) -> bool:
    """Whether a command succeeded. What it says goes to the log."""
    words = [str(word) for word in command]
    with checkout.log.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(words)}\n")
        log.flush()
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=checkout.root,
                env=child_environment(),
            )
        except OSError as error:
            log.write(f"{error}\n")
            return False
        return done.returncode == 0


@contextlib.contextmanager
def locked(checkout: Checkout) -> Iterator[None]:
    """One set-up of a checkout at a time; a second one waits and then finds everything done."""
    import fcntl

    checkout.tools.mkdir(exist_ok=True)
    with (checkout.tools / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up of this folder to finish ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if checkout.log.exists() and checkout.log.stat().st_size > 1_000_000:
            checkout.log.unlink()
        yield


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _fail(sentence: str, status: int = 1) -> int:
    say(sentence)
    return status


if __name__ == "__main__":
    sys.exit(main())
