"""`python -m bot doctor`: looks at what the assistant needs, and says what to do about each fault."""

from __future__ import annotations

import asyncio
import enum
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import redis
import sqlalchemy as sa
from redis.exceptions import RedisError

from bot.channels.messenger.graph import Graph, GraphError, Refused
from bot.channels.messenger.limits import version_warning
from bot.encoder import EncoderError, check_files, encoder_path
from bot.model import utc_now
from bot.model_inputs import digest_of_inputs
from bot.model_stamp import is_changed, read_stamp
from bot.redis_link import address, options
from bot.settings import Settings, SettingsError
from bot.store.accounts import AccountStore
from bot.store.spool import Spool
from bot.store.store import Store, StoreUnavailable
from bot.training import trained_model

GIGABYTE = 1_000_000_000
SECONDS_APART = 5.0
"""By which clocks may differ: leases, signatures and the order of messages bear that much."""


class Level(enum.Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "FAULT"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. todo: what to do about it."""

    level: Level
    about: str
    found: str
    todo: str = ""

    def __str__(self) -> str:
        line = f"{self.level.value:8} {self.about:10} {self.found}"
        return f"{line}\n{'':19} -> {self.todo}" if self.todo else line


def examine(load: Callable[[], Settings], say: Callable[[str], None]) -> int:
    """Looks at everything; the exit status is 1 when there is a fault."""
    try:
        settings = load()
    except SettingsError as error:
        say(str(Finding(Level.FAULT, "settings", str(error), "Correct it in the environment or in .env.")))
        return 1
    worst = Level.OK
    for finding in findings(settings):
        say(str(finding))
        worst = Level.FAULT if Level.FAULT in (worst, finding.level) else worst
    return 1 if worst is Level.FAULT else 0


def findings(settings: Settings) -> Iterator[Finding]:
    """What is found, one thing after the other."""
    for look in (_settings, _database, _redis, _encoder, _model, _messenger, _disk, _spool, _clock):
        yield from look(settings)


# ------------------------------------------------------------ what is looked at


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding(Level.OK, "settings", f"They are valid; the mode is {settings.mode}.")
    on_network = [
        name
        for name in ("host", "staff_host", "actions_host")
        if getattr(settings, name) in {"0.0.0.0", "::"}  # noqa: S104 -- compared
    ]
    if on_network and not settings.is_production:
        yield Finding(
            Level.WARNING,
            "settings",
            "The servers listen on every address, in development mode.",
            "Set MILIA_MODE=production before visitors can reach them.",
        )
    if settings.store_url.startswith("postgresql") and not settings.redis_url:
        yield Finding(
            Level.WARNING,
            "settings",
            "There is PostgreSQL but no Redis: with several servers, conversations may get out of order.",
            "Set MILIA_REDIS_URL; one server alone needs none.",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    kind = "PostgreSQL" if settings.store_url.startswith("postgresql") else "SQLite"
    store = AccountStore(settings.store_url)
    try:
        migrated = store.is_migrated()
        if not migrated:
            todo = "Run `python -m bot migrate`, then start the servers again."
            yield Finding(
                Level.FAULT, "database", f"{kind} answers; its tables are not of this version.", todo
            )
            return
        begun = time.perf_counter()
        store.ping()
        took = 1000 * (time.perf_counter() - begun)
        yield Finding(
            Level.OK, "database", f"{kind} takes writes, in {took:.0f} ms; its tables are up to date."
        )
        if not store.accounts():
            todo = "Run `python -m bot staff-account first`; it prints a one-time password."
            yield Finding(Level.WARNING, "database", "There is no staff account.", todo)
    except StoreUnavailable as error:
        todo = "Start the database, or correct MILIA_DATABASE_URL. Visitors are answered meanwhile."
        yield Finding(Level.FAULT, "database", f"{kind} can't be used ({error}).", todo)
    finally:
        store.close()


def _redis(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        yield Finding(Level.OK, "redis", "None; one server needs none.")
        return
    try:
        with redis.Redis.from_url(address(settings.redis_url), **options()) as client:
            version = str(client.info("server")["redis_version"])
    except (RedisError, OSError, ValueError) as error:
        todo = "Start Redis, or correct MILIA_REDIS_URL. Each server keeps order and limits alone meanwhile."
        yield Finding(Level.FAULT, "redis", f"It doesn't answer ({type(error).__name__}).", todo)
        return
    if int(version.split(".")[0]) < 6:
        yield Finding(Level.FAULT, "redis", f"It is version {version}.", "Install Redis 6 or later.")
        return
    yield Finding(Level.OK, "redis", f"Version {version} answers.")


def _encoder(settings: Settings) -> Iterator[Finding]:
    try:
        check_files(encoder_path())
    except EncoderError as error:
        yield Finding(
            Level.FAULT, "encoder", str(error), "Run `make setup`, or `python -m bot build-encoder`."
        )
        return
    yield Finding(Level.OK, "encoder", "Its files are there and whole.")


def _model(settings: Settings) -> Iterator[Finding]:
    model = trained_model(settings.models_dir)
    if model is None:
        todo = "Run `make train`."
        yield Finding(Level.FAULT, "model", f"There is no trained model in {settings.models_dir}.", todo)
        return
    if is_changed(model):
        todo = "Run `make train`; find out who changed the file."
        yield Finding(Level.FAULT, "model", f"{model} is not the file that was trained.", todo)
        return
    if read_stamp(settings.models_dir).get("inputs") != digest_of_inputs(Path.cwd()):
        todo = "Run `make train`."
        yield Finding(Level.WARNING, "model", f"{model.name} was trained from other files than these.", todo)
        return
    yield Finding(Level.OK, "model", f"{model.name} is whole, and of these files.")


def _messenger(settings: Settings) -> Iterator[Finding]:
    if not settings.messenger_enabled:
        yield Finding(Level.OK, "messenger", "Off: it has no settings.")
        return
    if warning := version_warning(settings.messenger_graph_version, utc_now().date()):
        yield Finding(Level.WARNING, "messenger", warning, "docs/messenger.md says how.")
    for page, problem in asyncio.run(_ask_facebook(settings)).items():
        if problem is None:
            yield Finding(Level.OK, "messenger", f"Facebook takes the token of Page {page}.")
        elif isinstance(problem, Refused):
            todo = "Make a new token and set MILIA_MESSENGER_PAGE_TOKENS (docs/messenger.md)."
            yield Finding(
                Level.FAULT, "messenger", f"Facebook refuses the token of Page {page}: {problem}", todo
            )
        else:
            todo = "Look at this machine's way to the internet; messages wait until it is back."
            yield Finding(Level.FAULT, "messenger", f"Page {page}: {problem}", todo)


async def _ask_facebook(settings: Settings) -> dict[str, GraphError | None]:
    graph = Graph(settings)
    answers: dict[str, GraphError | None] = {}
    try:
        for page in settings.messenger_tokens:
            try:
                await graph.call(page, "GET", "app", parameters={"fields": "id"})
                answers[page] = None
            except GraphError as error:
                answers[page] = error
    finally:
        await graph.close()
    return answers


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    trial = folder / ".doctor"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial.write_text("x")
        trial.unlink()
    except OSError as error:
        todo = "Make the folder writable for the user that runs the servers, or set MILIA_DATA_DIR."
        yield Finding(Level.FAULT, "disk", f"{folder} can't be written ({error.strerror}).", todo)
        return
    free = shutil.disk_usage(folder).free
    shown = f"{free / GIGABYTE:.1f} GB are free for {folder}."
    if free < GIGABYTE:
        level = Level.FAULT if free < GIGABYTE / 10 else Level.WARNING
        yield Finding(level, "disk", shown, "Make room: database, spool and logs need it.")
        return
    yield Finding(Level.OK, "disk", shown)


def _spool(settings: Settings) -> Iterator[Finding]:
    spool = Spool(settings.spool_dir)
    rejected = settings.spool_dir / "rejected.jsonl"
    if rejected.exists() and rejected.stat().st_size:
        todo = "Look at what the database refused, store or delete it; it holds personal details."
        yield Finding(Level.WARNING, "spool", f"{rejected} is not empty.", todo)
    if spool.is_empty():
        yield Finding(Level.OK, "spool", "Nothing waits for the database.")
    else:
        todo = "It is stored by a running server within half a minute of the database being back."
        yield Finding(Level.WARNING, "spool", f"Records wait in {settings.spool_dir}.", todo)


def _clock(settings: Settings) -> Iterator[Finding]:
    for what, theirs in _other_clocks(settings):
        apart = (utc_now() - theirs).total_seconds()
        if abs(apart) > SECONDS_APART:
            todo = "Let every machine keep its time by NTP (`timedatectl set-ntp true`)."
            direction = "ahead of" if apart > 0 else "behind"
            yield Finding(
                Level.FAULT, "clock", f"This machine is {abs(apart):.0f} s {direction} {what}.", todo
            )
        else:
            yield Finding(Level.OK, "clock", f"Within {SECONDS_APART:.0f} s of {what}.")


def _other_clocks(settings: Settings) -> Iterator[tuple[str, datetime]]:
    """Whatever else knows the time: servers, and for one machine alone the files that it wrote last."""
    if settings.store_url.startswith("postgresql"):
        store = Store(settings.store_url)
        try:
            yield (
                "PostgreSQL",
                store._read(lambda c: c.execute(sa.select(sa.func.clock_timestamp())).scalar()),
            )
        except StoreUnavailable:
            pass  # is told elsewhere
        finally:
            store.close()
    if settings.redis_url:
        try:
            with redis.Redis.from_url(address(settings.redis_url), **options()) as client:
                seconds, microseconds = client.time()
            yield "Redis", datetime.fromtimestamp(seconds + microseconds / 1e6, timezone.utc)
        except (RedisError, OSError, ValueError):
            pass
    newest = max(
        (path.stat().st_mtime for path in settings.data_dir.glob("*") if path.is_file()), default=0.0
    )
    if newest > time.time():
        yield "its own files in the data folder", datetime.fromtimestamp(newest, timezone.utc)
