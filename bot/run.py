"""`make run`: checks what can be checked, prepares database and model, and keeps the servers running."""

from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
from contextlib import ExitStack

from bot.settings import PREFIX, Settings
from bot.supervisor import Service, Supervisor
from bot.training import TrainingError, ensure_model


class RunError(Exception):
    """The assistant can't be started. The message is one sentence for whoever starts it."""


def run(settings: Settings) -> int:
    """Run the whole assistant until told to stop; returns the exit status."""
    try:
        check_addresses(settings)
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        migrate(settings)
        password = first_password()
        ensure_model(settings, say)
        release(settings)
        say("Starting ...")
        supervisor = Supervisor(
            services(settings), settings.data_dir / "log", say, lambda: say(welcome(settings, password))
        )
        return asyncio.run(supervisor.run())
    except (RunError, TrainingError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def services(settings: Settings) -> list[Service]:
    """The servers that make up the assistant."""
    bot = (sys.executable, "-m", "bot")
    return [
        Service("actions", "action server", (*bot, "actions"), settings.actions_host, settings.actions_port),
        Service("chat", "chat server", (*bot, "serve"), settings.host, settings.chat_port),
        Service("staff", "staff app", (*bot, "staff"), settings.staff_host, settings.staff_port),
    ]


def welcome(settings: Settings, password: str = "") -> str:
    """Where to go, now that everything runs. `password`: of the first admin, who was made just now."""
    chat = f"http://{settings.host}:{settings.chat_port}"
    first = [f"                 sign in as admin, once with the password {password}"] if password else []
    return "\n".join(
        [
            "The assistant is ready.",
            f"  chat           {chat}/  (a web page with the chat in it)",
            f"  staff app      http://{settings.staff_host}:{settings.staff_port}/",
            *first,
            f"  REST           POST {chat}/webhooks/rest/webhook",
            f"  action server  http://{settings.actions_host}:{settings.actions_port}",
            "  to talk to it  make chat, in another terminal",
            f"  logs           {settings.data_dir / 'log'}",
            "Ctrl-C stops it.",
        ]
    )


def check_addresses(settings: Settings) -> None:
    """Find out before anything is started whether every address can be had.

    Raises:
        RunError: naming the port and the setting to change.
    """
    wanted = [
        ("CHAT_PORT", settings.host, settings.chat_port),
        ("ACTIONS_PORT", settings.actions_host, settings.actions_port),
        ("STAFF_PORT", settings.staff_host, settings.staff_port),
    ]
    taken: dict[int, str] = {}
    with ExitStack() as held:
        for name, host, port in wanted:
            variable = PREFIX + name
            if port in taken:
                raise RunError(f"{taken[port]} and {variable} are both {port}: give each a port of its own.")
            taken[port] = variable
            address = held.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
            address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                address.bind((host, port))
                address.listen()
            except OSError as error:
                raise RunError(_cannot_listen(error, host, port, variable)) from error


def _cannot_listen(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is already in use, perhaps by another assistant: stop it, "
            f"or set {variable} to another port (in .env or the environment)."
        )
    host_variable = variable.replace("PORT", "HOST").replace("CHAT_HOST", "HOST")
    return f"Can't listen on {host}, port {port} ({error.strerror}): check {host_variable} and {variable}."


def migrate(settings: Settings) -> None:
    """Bring the database's tables up to date, in a process of its own: this one stays small.

    Raises:
        RunError: they can't be.
    """
    log = settings.data_dir / "log" / "migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        command = [sys.executable, "-m", "bot", "migrate"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if done.returncode != 0:
        raise RunError(
            f"The database could not be prepared; is {PREFIX}DATABASE_URL right? {log} has the details."
        )


def release(settings: Settings) -> None:
    """Make the model a release, in a process of its own. Without one, servers answer with the model alone."""
    log = settings.data_dir / "log" / "release.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "bot", "release"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if done.returncode != 0:
        say(f"WARNING: what staff published could not be prepared; {log} has the details.")


def first_password() -> str:
    """The one-time password of the first admin, made when there is no account yet; else empty."""
    command = [sys.executable, "-m", "bot", "staff-account", "first"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RunError(f"The first staff account could not be made. It said: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def say(text: str) -> None:
    """Tell the person at the terminal something."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
