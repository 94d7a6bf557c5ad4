"""The set-up finds a Python that runs, sees what is installed, and makes anew what is half made."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bootstrap"] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(bootstrap, tmp_path):
    made = bootstrap.Checkout(tmp_path / "project")
    made.tools.mkdir(parents=True)
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        (made.root / name).write_text(f"# {name}\n")
    return made


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def python_at(path: Path, version: str = "3.10") -> Path:
    return program(path, f"echo {version}")


def installed(bootstrap, checkout, dev: bool = False) -> None:
    python_at(checkout.python)
    stamp = {
        "folder": str(checkout.venv),
        "requirements": bootstrap.digest(checkout.requirements(False)),
        "requirements-dev": bootstrap.digest(checkout.requirements(True)) if dev else None,
    }
    checkout.stamp.write_text(json.dumps(stamp))


class TestFindingPython:
    @pytest.fixture(autouse=True)
    def other_interpreter(self, monkeypatch, tmp_path):
        """This test run's own Python is a 3.10 too; here it isn't."""
        monkeypatch.setattr(sys, "executable", str(python_at(tmp_path / "running" / "python3", "3.12")))
        monkeypatch.setattr(sys, "_base_executable", sys.executable)

    def test_on_the_path(self, bootstrap, tmp_path):
        wanted = python_at(tmp_path / "bin" / "python3.10")
        found = bootstrap.find_python({"PATH": f"{tmp_path / 'none'}:{wanted.parent}", "HOME": str(tmp_path)})
        assert found == str(wanted)

    def test_a_shim_that_fails_is_passed_over(self, bootstrap, tmp_path):
        program(
            tmp_path / "shims" / "python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127"
        )
        wanted = python_at(tmp_path / "bin" / "python3.10")
        path = f"{tmp_path / 'shims'}:{wanted.parent}"
        assert bootstrap.find_python({"PATH": path, "HOME": str(tmp_path)}) == str(wanted)

    def test_the_newest_of_pyenv(self, bootstrap, tmp_path):
        program(tmp_path / "shims" / "python3.10", "exit 127")
        for version in ("3.10.9", "3.10.13", "3.11.7"):
            python_at(tmp_path / ".pyenv" / "versions" / version / "bin" / "python")
        found = bootstrap.find_python({"PATH": str(tmp_path / "shims"), "HOME": str(tmp_path)})
        assert found == str(tmp_path / ".pyenv/versions/3.10.13/bin/python")

    def test_pyenv_in_another_place(self, bootstrap, tmp_path):
        wanted = python_at(tmp_path / "elsewhere/versions/3.10.1/bin/python")
        environ = {"PATH": "", "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path / "elsewhere")}
        assert bootstrap.find_python(environ) == str(wanted)

    def test_not_one_of_a_virtual_environment(self, bootstrap, tmp_path):
        python_at(tmp_path / "venv/bin/python3.10")
        (tmp_path / "venv/pyvenv.cfg").touch()
        assert bootstrap.find_python({"PATH": str(tmp_path / "venv/bin"), "HOME": str(tmp_path)}) is None

    def test_none_and_no_download_is_one_clear_sentence(self, bootstrap, checkout, tmp_path):
        assert bootstrap.find_python({"PATH": "", "HOME": str(tmp_path)}) is None
        with pytest.raises(bootstrap.SetupError, match=r"Python 3\.10 was not found .*pyenv install 3\.10"):
            bootstrap.download_python(checkout, program(tmp_path / "uv", "exit 1"))


class TestWhatIsInstalled:
    def test_nothing_yet(self, bootstrap, checkout):
        assert not bootstrap.is_installed(checkout, dev=False)

    def test_all_is_there(self, bootstrap, checkout):
        installed(bootstrap, checkout)
        assert bootstrap.is_installed(checkout, dev=False)
        assert not bootstrap.is_installed(checkout, dev=True)

    def test_the_packages_for_testing_are_enough_for_running(self, bootstrap, checkout):
        installed(bootstrap, checkout, dev=True)
        assert bootstrap.is_installed(checkout, dev=False)
        assert bootstrap.is_installed(checkout, dev=True)

    def test_other_requirements(self, bootstrap, checkout):
        installed(bootstrap, checkout)
        checkout.requirements(False).write_text("# other\n")
        assert not bootstrap.is_installed(checkout, dev=False)

    def test_a_moved_checkout(self, bootstrap, checkout):
        installed(bootstrap, checkout)
        moved = bootstrap.Checkout(checkout.root.rename(checkout.root.with_name("moved")))
        assert not bootstrap.is_installed(moved, dev=False)

    def test_python_was_removed_from_the_machine(self, bootstrap, checkout):
        installed(bootstrap, checkout)
        checkout.python.unlink()
        checkout.python.symlink_to("/nowhere/python3.10")
        assert not bootstrap.is_installed(checkout, dev=False)

    def test_an_unreadable_note(self, bootstrap, checkout):
        installed(bootstrap, checkout)
        checkout.stamp.write_text("{")
        assert not bootstrap.is_installed(checkout, dev=False)


class TestInstalling:
    """With a uv that writes down how it is called, and makes a folder with a Python when asked to."""

    @pytest.fixture
    def calls(self, bootstrap, checkout, tmp_path, monkeypatch):
        log = tmp_path / "calls"
        log.touch()
        python = checkout.python
        made = f"mkdir -p {python.parent}; printf '#!/bin/sh\\necho 3.10\\n' > {python}; chmod +x {python}"
        script = f'echo "$1 $2" >> {log}; if [ "$1" = venv ]; then {made}; fi; [ ! -e {tmp_path}/broken ]'
        uv = program(tmp_path / "uv", script)
        monkeypatch.setattr(bootstrap, "ensure_uv", lambda *_: uv)
        monkeypatch.setattr(bootstrap, "find_python", lambda *_: "/usr/bin/false")
        return lambda: [line.split()[0] for line in log.read_text().splitlines()]

    def test_the_first_time(self, bootstrap, checkout, calls):
        bootstrap.install(checkout, dev=False)
        assert calls() == ["venv", "pip"]
        assert bootstrap.is_installed(checkout, dev=False)

    def test_a_half_made_one_is_made_anew(self, bootstrap, checkout, calls):
        python_at(checkout.python)  # no note that it was finished
        bootstrap.install(checkout, dev=False)
        assert calls() == ["venv", "pip"]

    def test_one_with_another_python_is_made_anew(self, bootstrap, checkout, calls):
        installed(bootstrap, checkout)
        python_at(checkout.python, "3.9")
        bootstrap.install(checkout, dev=False)
        assert calls() == ["venv", "pip"]

    def test_a_whole_one_is_brought_up_to_date_and_keeps_the_test_packages(self, bootstrap, checkout, calls):
        installed(bootstrap, checkout, dev=True)
        checkout.requirements(False).write_text("# newer\n")
        bootstrap.install(checkout, dev=False)
        assert calls() == ["pip"]
        assert bootstrap.is_installed(checkout, dev=True)

    def test_a_failure_leaves_it_half_made_and_says_where_the_log_is(
        self, bootstrap, checkout, calls, tmp_path
    ):
        installed(bootstrap, checkout)
        (tmp_path / "broken").touch()
        with pytest.raises(bootstrap.SetupError, match=r"could not be installed.*setup\.log"):
            bootstrap.install(checkout, dev=True)
        assert not bootstrap.is_installed(checkout, dev=False)


def test_children_keep_compiled_files_and_see_only_their_own_packages(bootstrap, monkeypatch):
    for name in bootstrap.NOT_FOR_CHILDREN:
        monkeypatch.setenv(name, "1")
    assert not set(bootstrap.child_environment()) & set(bootstrap.NOT_FOR_CHILDREN)


def test_two_at_once_take_turns(bootstrap, checkout):
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with bootstrap.locked(checkout):
            order.append("first in")
            inside.set()
            leave.wait(10)
            order.append("first out")

    def second() -> None:
        inside.wait(10)
        threading.Timer(0.2, leave.set).start()
        with bootstrap.locked(checkout):
            order.append("second in")

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert order == ["first in", "first out", "second in"]


def test_a_missing_browser_is_an_error(bootstrap, checkout, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
    python_at(checkout.python)
    with pytest.raises(bootstrap.SetupError, match="need Chromium"):
        bootstrap.ensure_browser(checkout)
    program(tmp_path / "chromium", "exit 0")
    bootstrap.ensure_browser(checkout)


def test_uv_is_kept_once_installed(bootstrap, checkout):
    uv = program(checkout.tools / "uv" / "bin" / "uv", "exit 0")
    (checkout.tools / "uv" / "installed").write_text(bootstrap.digest(checkout.root / "requirements-uv.txt"))
    assert bootstrap.ensure_uv(checkout, None) == uv


def test_make_needs_a_python_to_begin_with():
    made = subprocess.run(
        ["make", "setup", "PYTHON3=no-such-python"], cwd=ROOT, capture_output=True, text=True, env=_clean()
    )
    assert made.returncode != 0
    assert "Python 3.9 or later is needed" in made.stderr


def test_make_help_lists_every_target_that_is_meant_for_people():
    made = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, env=_clean(), check=True
    )
    listed = {line.split()[1] for line in made.stdout.splitlines()}
    assert {"help", "run", "chat", "test", "train", "check", "score", "bench", "lock", "clean"} <= listed


def test_no_file_names_a_package_index():
    for path in [
        *ROOT.glob("requirements*.txt"),
        ROOT / "bootstrap.py",
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]:
        assert "index-url" not in path.read_text().replace("--no-emit-index-url", "")
        assert "://" not in path.read_text()


def _clean() -> dict[str, str]:
    """This environment without what a surrounding make adds."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"
    }
