"""The project's commands: `python -m bot COMMAND`. Each imports what it needs only when it is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

Command = Callable[[list[str]], int | None]

COMMANDS: dict[str, Command] = {}


def command(function: Command) -> Command:
    """Makes a function a command: its name is the command's, its docstring the help."""
    COMMANDS[function.__name__.rstrip("_").replace("_", "-")] = function
    return function


@command
def run(arguments: list[str]) -> int:
    """Start the whole assistant and keep it running."""
    from bot.run import run
    from bot.settings import load_settings

    _options("run", arguments)
    return run(load_settings())


@command
def chat(arguments: list[str]) -> int:
    """Talk to the assistant in the terminal; starts it when it isn't running."""
    from bot.chat import chat
    from bot.settings import load_settings

    _options("chat", arguments)
    return chat(load_settings())


@command
def serve(arguments: list[str]) -> None:
    """Run one chat server alone."""
    from bot.serving.server import serve
    from bot.settings import load_settings

    _options("serve", arguments)
    serve(load_settings())


@command
def score(arguments: list[str]) -> int:
    """Judge the running assistant's replies to files of questions; --misses lists what went wrong."""
    from benchmarks.score import main
    from bot.settings import load_settings

    parser = argparse.ArgumentParser(prog="python -m bot score", description=score.__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="files of the samples' shape; else the samples")
    parser.add_argument("--misses", action="store_true", help="list what went wrong")
    options = parser.parse_args(arguments)
    settings = load_settings()
    return main(options.files, f"http://{settings.host}:{settings.chat_port}", options.misses)


@command
def bench(arguments: list[str]) -> int:
    """Measure speed and size beside Rasa's defaults; --help lists what can be chosen."""
    from benchmarks.speed.run import main

    return main(arguments)


@command
def bench_understanding(arguments: list[str]) -> int:
    """Measure understanding beside Rasa's defaults; --help lists what can be chosen."""
    from benchmarks.understanding.run import main

    return main(arguments)


@command
def widget_report(arguments: list[str]) -> int:
    """Measure the website's chat: size, barriers, time to a reply."""
    from benchmarks.widget_report import main
    from bot.chat import running
    from bot.settings import load_settings

    _options("widget-report", arguments)
    settings = load_settings()
    with running(settings):
        return main(f"http://{settings.host}:{settings.chat_port}")


@command
def actions(arguments: list[str]) -> None:
    """Run the action server alone."""
    from bot.serving.action_server import serve
    from bot.settings import load_settings

    _options("actions", arguments)
    serve(load_settings())


@command
def staff(arguments: list[str]) -> None:
    """Run the staff app alone."""
    from bot.serving import quiet
    from bot.settings import load_settings

    _options("staff", arguments)
    quiet.one_thread()
    from bot.web.server import serve

    serve(load_settings())


@command
def staff_account(arguments: list[str]) -> int:
    """Add a staff account, or give one a new one-time password, which is printed."""
    from bot.settings import load_settings
    from bot.staff_accounts import main

    return main(arguments, load_settings())


@command
def retention(arguments: list[str]) -> None:
    """Delete what is older than it may be; the staff app does it every day."""
    from bot.privacy import enforce_retention
    from bot.settings import load_settings
    from bot.store.staff_store import StaffStore

    _options("retention", arguments)
    settings = load_settings()
    for table, rows in enforce_retention(StaffStore(settings.store_url), settings).items():
        print(f"{table}: {rows}")


@command
def export(arguments: list[str]) -> int:
    """Write the answers of staff to data/staff.yml."""
    from bot.settings import load_settings
    from bot.staff_file import export_to
    from bot.store.answers import AnswerStore

    path = _staff_file("export", arguments)
    store = AnswerStore(load_settings().store_url)
    store.migrate()
    return export_to(path, store, print)


@command
def import_(arguments: list[str]) -> int:
    """Make the answers in data/staff.yml live; other answers stay as they are."""
    from bot.clinic import load_clinic
    from bot.clinic_source import with_overrides
    from bot.settings import load_settings
    from bot.staff_file import import_from
    from bot.store.answers import AnswerStore
    from bot.store.clinic import ClinicStore

    path = _staff_file("import", arguments)
    settings = load_settings()
    store = AnswerStore(settings.store_url)
    store.migrate()
    clinic = with_overrides(
        load_clinic(settings.clinic_file), ClinicStore(settings.store_url).clinic_overrides()
    )
    return import_from(path, store, clinic, print)


@command
def train(arguments: list[str]) -> int:
    """Train the model, unless it is that of the current files (--force: even then)."""
    from bot.run import say
    from bot.settings import load_settings
    from bot.training import TrainingError, ensure_model

    options = _options("train", arguments, ("--force", "train even when nothing has changed"))
    try:
        trained = ensure_model(load_settings(), say, force=options.force)
    except TrainingError as error:
        sys.exit(str(error))
    say("The model is trained." if trained else "The model is up to date.")
    return 0


@command
def release(arguments: list[str]) -> None:
    """Make the trained model a release, with what staff published before; `run` does it at its start."""
    from bot.publishing.first import register
    from bot.settings import load_settings
    from bot.store.staff_store import StaffStore
    from bot.training import trained_model

    _options("release", arguments)
    settings = load_settings()
    model = trained_model(settings.models_dir)
    if model is None:
        sys.exit(f"There is no trained model in {settings.models_dir}: train one with `make train`.")
    register(StaffStore(settings.store_url), settings, model)


@command
def publish(arguments: list[str]) -> int:
    """Work on the publish that staff have asked for; the staff app starts this by itself."""
    from bot.publishing.runner import main
    from bot.settings import load_settings

    _options("publish", arguments)
    return main(load_settings())


@command
def rasa(arguments: list[str]) -> None:
    """Run Rasa's own command line: `rasa data validate`, `rasa test` and so on."""
    from bot.serving.rasa_cli import main

    main(arguments)


@command
def migrate(arguments: list[str]) -> None:
    """Bring the database's tables up to date."""
    from bot.settings import load_settings
    from bot.store.migrate import migrate

    _options("migrate", arguments)
    settings = load_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(settings.store_url)


@command
def migrate_data(arguments: list[str]) -> None:
    """Move everything from SQLite to the PostgreSQL of MILIA_DATABASE_URL, compared row by row."""
    from bot.moving import main
    from bot.settings import load_settings

    parser = argparse.ArgumentParser(prog="python -m bot migrate-data", description=migrate_data.__doc__)
    parser.add_argument("--source", type=Path, help="the SQLite file; else that in the data folder")
    options = parser.parse_args(arguments)
    settings = load_settings()
    main(settings, options.source or settings.data_dir / "milia.db")


@command
def doctor(arguments: list[str]) -> int:
    """Look at everything that the assistant needs, and say what to do about each fault."""
    from bot.serving import quiet, standin

    _options("doctor", arguments)
    quiet.quieten()
    standin.install()
    from bot.doctor import examine
    from bot.settings import load_settings

    return examine(load_settings, print)


@command
def messenger(arguments: list[str]) -> int:
    """Set up the profiles of the Facebook Pages: `messenger setup`; --dry-run only says what would change."""
    from bot.channels.messenger.profile import set_up
    from bot.settings import load_settings

    parser = argparse.ArgumentParser(prog="python -m bot messenger", description=messenger.__doc__)
    parser.add_argument("what", choices=["setup"])
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    return set_up(load_settings(), print, options.dry_run)


@command
def build_encoder(arguments: list[str]) -> None:
    """Build the sentence encoder, when it isn't there; `make setup` does."""
    from bot.encoder_build import build_encoder

    _options("build-encoder", arguments)
    build_encoder()


@command
def settings_doc(arguments: list[str]) -> None:
    """Write docs/settings.md and .env.example anew from the settings."""
    from bot.settings_doc import write

    _options("settings-doc", arguments)
    write()


def _staff_file(name: str, arguments: list[str]) -> Path:
    from bot.staff_file import STAFF_FILE

    parser = argparse.ArgumentParser(prog=f"python -m bot {name}", description=COMMANDS[name].__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=STAFF_FILE, help=f"instead of {STAFF_FILE}")
    chosen: Path = parser.parse_args(arguments).file
    return chosen


def _options(name: str, arguments: list[str], *flags: tuple[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m bot {name}", description=COMMANDS[name].__doc__)
    for flag, explanation in flags:
        parser.add_argument(flag, action="store_true", help=explanation)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 2 when it was called wrongly or a setting is wrong."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {(function.__doc__ or '').strip()}" for name, function in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="The Skin Matrix assistant. Most commands have a shorter name: see `make help`.",
        epilog="\n".join(["commands:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the command takes")
    chosen = parser.parse_args(arguments)
    from bot.settings import SettingsError

    try:
        return COMMANDS[chosen.command](chosen.arguments) or 0
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
