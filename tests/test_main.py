"""The commands as people call them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot import settings_doc
from bot.__main__ import COMMANDS
from bot.run import RunError, check_addresses, services, welcome
from bot.settings import load_settings
from tests.conftest import ROOT, environment, free_ports


def bot(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True, timeout=120
    )


def test_help_names_every_command_and_imports_none_of_them():
    done = bot("--help")
    assert done.returncode == 0
    for name, function in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert function.__doc__.strip() in done.stdout
    code = "import sys; sys.argv = ['bot', '-h']; import bot.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"rasa", "sqlalchemy", "sanic", "numpy", "asyncio"} & set(loaded.stdout.split())


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "rasa"])
def test_a_command_explains_itself(name, tmp_path):
    done = bot(name, "--help", data_dir=tmp_path)
    assert done.returncode == 0
    assert f"python -m bot {name}" in done.stdout


def test_an_unknown_command_is_refused():
    done = bot("dance")
    assert done.returncode == 2
    assert "invalid choice: 'dance'" in done.stderr


@pytest.mark.parametrize("name", ["run", "chat", "serve", "actions", "train", "migrate", "migrate-data"])
def test_a_wrong_setting_is_one_sentence(name, tmp_path):
    done = bot(name, chat_port="eleven", data_dir=tmp_path)
    assert done.returncode == 2
    sentence = "MILIA_CHAT_PORT is 'eleven'; it has to be a port number between 1 and 65535.\n"
    assert (done.stdout, done.stderr) == ("", sentence)


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = bot("run", chat_port=port, actions_port=free_ports(1)[0], data_dir=tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} is already in use")
    assert "MILIA_CHAT_PORT" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def settings(tmp_path: Path, **given: object):
    return load_settings(environment(data_dir=tmp_path, **given), env_file=tmp_path / "none")


def test_an_action_server_port_in_use_is_named_too(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = settings(tmp_path, chat_port=free_ports(1)[0], actions_port=other.getsockname()[1])
        with pytest.raises(RunError, match="MILIA_ACTIONS_PORT"):
            check_addresses(taken)


def test_one_port_for_two_servers_is_refused(tmp_path):
    port = free_ports(1)[0]
    with pytest.raises(RunError, match=f"MILIA_CHAT_PORT and MILIA_ACTIONS_PORT are both {port}"):
        check_addresses(settings(tmp_path, chat_port=port, actions_port=port))


def test_an_address_of_another_machine_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"Can't listen on 192\.0\.2\.1.*check MILIA_HOST and MILIA_CHAT_PORT"):
        check_addresses(settings(tmp_path, host="192.0.2.1"))


def test_every_server_is_where_the_welcome_says(tmp_path):
    chosen = settings(tmp_path)
    for service in services(chosen):
        assert f"http://{service.host}:{service.port}" in welcome(chosen)


def test_a_database_that_is_away_is_one_sentence(tmp_path):
    chat, actions, staff, nothing = free_ports(4)
    url = f"postgresql://nobody@127.0.0.1:{nothing}/none"
    ports = {"chat_port": chat, "actions_port": actions, "staff_port": staff}
    done = bot("run", **ports, data_dir=tmp_path, database_url=url)
    assert done.returncode == 1
    assert "MILIA_DATABASE_URL" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "text"), [(settings_doc.PAGE, settings_doc.page), (settings_doc.EXAMPLE, settings_doc.example)]
)
def test_the_settings_are_documented(path, text):
    assert (ROOT / path).read_text() == text(), "run: python -m bot settings-doc"
