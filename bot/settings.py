"""Every setting of the project, read once from the environment or `.env`; nothing else reads either.

A setting is a field of `Settings` with its default and its explanation. Its variable is the field's
name in capitals with the prefix `MILIA_`. `docs/settings.md` and `.env.example` are checked against
this file by the tests.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bot.model import Person
from bot.production import problems

PREFIX = "MILIA_"
PRODUCTION = "production"
DEVELOPMENT = "development"


class SettingsError(Exception):
    """A setting is missing or malformed. The message names it and says what to enter."""


def _text(value: str) -> str:
    return value.strip()


def _port(value: str) -> int:
    if not value.strip().isdigit() or not 0 < int(value) < 65536:
        raise ValueError("a port number between 1 and 65535")
    return int(value)


def _port_or_none(value: str) -> int:
    return 0 if value.strip() == "0" else _port(value)


def _positive(value: str) -> int:
    if not value.strip().isdigit() or int(value) < 1:
        raise ValueError("a whole number, 1 or more")
    return int(value)


def _count(value: str) -> int:
    if not value.strip().isdigit():
        raise ValueError("a whole number, 0 or more")
    return int(value)


def _seconds(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("a number of seconds above 0")
    return number


def _hours(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 24 * 365:
        raise ValueError("a number of hours above 0")
    return number


def _yes_no(value: str) -> bool | None:
    word = value.strip().lower()
    if not word:
        return None
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("yes or no")


def _words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(origin.rstrip("/") for origin in _words(value))
    for origin in origins:
        if not re.fullmatch(r"https?://[^/\s?#@]+", origin):
            raise ValueError("web sites without a path, such as https://www.example.com, separated by commas")
    return origins


def _base_url(value: str) -> str:
    url = value.strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s?#@]+", url):
        raise ValueError("an address such as https://staff.example.com")
    return url


def _smtp_security(value: str) -> str:
    if value.strip() not in {"starttls", "tls", "none"}:
        raise ValueError("starttls, tls or none")
    return value.strip()


def _log_format(value: str) -> str:
    if value.strip() not in {"text", "json"}:
        raise ValueError("text or json")
    return value.strip()


def _hour(value: str) -> int:
    if not value.strip().isdigit() or int(value) > 23:
        raise ValueError("an hour from 0 to 23")
    return int(value)


def _page_tokens(value: str) -> tuple[tuple[str, str], ...]:
    pairs = tuple(
        (page.strip(), token.strip()) for page, _, token in (word.partition(":") for word in _words(value))
    )
    if any(
        not re.fullmatch(r"\d{1,40}", page) or not re.fullmatch(r"[!-~]+", token) for page, token in pairs
    ):
        raise ValueError("page_id:token pairs, separated by commas")
    if len({page for page, _ in pairs}) < len(pairs):
        raise ValueError("page_id:token pairs with each Page once")
    return pairs


def _graph_version(value: str) -> str:
    if not re.fullmatch(r"v\d+\.\d+", value.strip()):
        raise ValueError("a version such as v26.0")
    return value.strip()


def _path(value: str) -> Path:
    return Path(value.strip())


def _mode(value: str) -> str:
    if value.strip() not in {PRODUCTION, DEVELOPMENT}:
        raise ValueError(f"{DEVELOPMENT} or {PRODUCTION}")
    return value.strip()


def setting(default: str, explanation: str, parse: Callable[[str], Any] = _text, secret: bool = False) -> Any:
    """A field of `Settings`: its default as it would stand in the environment, and what it is for."""
    return field(metadata={"default": default, "explanation": explanation, "parse": parse, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """The settings of one running system. Made by `load_settings`."""

    mode: str = setting(
        DEVELOPMENT,
        "`production` refuses weak secrets, plain HTTP and missing origins, and turns the open REST channel "
        "off.",
        _mode,
    )
    host: str = setting("127.0.0.1", "Address on which the chat server listens.")
    chat_port: int = setting("5005", "Port of the chat server.", _port)
    actions_host: str = setting("127.0.0.1", "Address on which the action server listens.")
    actions_port: int = setting("5055", "Port of the action server.", _port)
    actions_url: str = setting(
        "",
        "Custom actions are run by this action server; empty runs them inside the chat server, which is "
        "faster.",
    )
    actions_timeout: float = setting(
        "3", "Seconds that a custom action may take before the visitor is helped without it.", _seconds
    )
    staff_host: str = setting("127.0.0.1", "Address on which the staff app listens.")
    staff_port: int = setting("5080", "Port of the staff app.", _port)
    staff_url: str = setting(
        "",
        "Where staff reach the staff app, for links in emails; `https://...` makes its cookies HTTPS-only.",
        _base_url,
    )
    staff_proxies: int = setting(
        "0",
        "Reverse proxies in front of the staff app: so many entries of X-Forwarded-For, from the right, are "
        "believed.",
        _count,
    )
    staff_session_hours: int = setting(
        "12", "Hours without a click after which staff have to sign in again.", _positive
    )
    data_dir: Path = setting(
        "var", "Folder for the database, the spool and generated secrets. Never committed.", _path
    )
    models_dir: Path = setting("models", "Folder for trained models.", _path)
    models_url: str = setting(
        "",
        "Where chat servers ask for the live release; empty is the staff app at its host and port.",
        _base_url,
    )
    releases_kept: int = setting(
        "5", "Releases whose models are kept, so that staff can go back to them.", _positive
    )
    decisions_file: str = setting(
        "",
        "File with what staff decided, merged into the training data; publishing sets it for its trainings.",
    )
    build_dir: Path = setting("build", "Folder for the encoder that is built at set-up.", _path)
    clinic_file: Path = setting("clinic.yml", "The clinic's facts: phone, links, offer, hours.", _path)
    database_url: str = setting(
        "",
        "SQLAlchemy URL of the database; empty is SQLite in the data folder. `postgresql://...` for several "
        "servers.",
        secret=True,
    )
    redis_url: str = setting(
        "", "`redis://...` for several servers; empty keeps locks and limits in the process.", secret=True
    )
    secret_key: str = setting(
        "",
        "Signs sessions and buttons, at least 32 characters. Empty makes one in the data folder "
        "(development only).",
        secret=True,
    )
    rest: bool | None = setting(
        "",
        "Whether the open REST channel answers: yes, no, or empty for yes. In production it never does.",
        _yes_no,
    )
    public_url: str = setting(
        "", "Where visitors reach the chat server, for example `https://chat.example.com/milia`."
    )
    allowed_origins: tuple[str, ...] = setting(
        "",
        "Web sites that may show the chat, comma-separated; empty allows only the chat server's own pages.",
        _origins,
    )
    session_days: int = setting(
        "30", "Days after which a visitor who comes back starts a new conversation.", _positive
    )
    session_rate: int = setting("20", "Messages a minute that one visitor may send.", _positive)
    address_rate: int = setting(
        "240",
        "Messages and new visitors a minute from one internet address, which visitors of one network share.",
        _positive,
    )
    understanding_processes: int = setting(
        "1",
        "Processes beside the chat server's own that understand messages with it: one less than the machine "
        "has processors. Each takes some 290 MB; 0 where memory is short.",
        _count,
    )
    turns_at_once: int = setting(
        "200", "Website messages under way at once; more are asked to wait.", _positive
    )
    proxies: int = setting(
        "0",
        "Reverse proxies in front of the chat server: so many entries of X-Forwarded-For, from the right, "
        "are believed.",
        _count,
    )
    log_level: str = setting("WARNING", "How much the processes log: DEBUG, INFO, WARNING or ERROR.")
    log_format: str = setting(
        "text", "How they log: `text`, or `json` for one JSON object a line.", _log_format
    )
    metrics_host: str = setting(
        "127.0.0.1", "Address on which the processes answer Prometheus; never one that the public reaches."
    )
    metrics_port: int = setting(
        "0",
        "Port on which the chat server answers Prometheus, the action server on the next, the staff app on "
        "the one after; 0 is off.",
        _port_or_none,
    )
    retention_days: int = setting(
        "365", "Days for which conversations, call-back requests and staff's replies are kept.", _positive
    )
    retention_question_days: int = setting(
        "730",
        "Days for which questions (without personal details) and the charts' figures are kept.",
        _positive,
    )
    return_after: int = setting(
        "10",
        "A question that was dismissed or answered is new again when so many more people have asked it.",
        _positive,
    )
    health_approval: bool | None = setting(
        "no",
        "Whether an answer about somebody's health waits until a second person has approved it.",
        _yes_no,
    )
    callback_hours: int = setting(
        "24", "Hours after which a call-back that nobody has made counts as overdue.", _positive
    )
    smtp_host: str = setting("", "Mail server for emails to staff; empty sends none.")
    smtp_port: int = setting("587", "Port of the mail server.", _port)
    smtp_security: str = setting(
        "starttls", "How the mail server is spoken to: starttls, tls or none.", _smtp_security
    )
    smtp_user: str = setting("", "Name at the mail server; empty signs in as nobody.")
    smtp_password: str = setting("", "Password at the mail server.", secret=True)
    mail_from: str = setting("", "Sender of the emails; empty takes the first of the recipients.")
    mail_to: tuple[str, ...] = setting("", "Who gets the emails, comma-separated; empty sends none.", _words)
    digest_hour: int = setting(
        "8", "Hour of the clinic's day from which the daily email is sent, 0 to 23.", _hour
    )

    messenger_app_secret: str = setting(
        "",
        "Facebook Messenger: the app's secret. Messenger is off while this, the verify token and the Page "
        "tokens are all empty.",
        secret=True,
    )
    messenger_verify_token: str = setting(
        "",
        "Facebook Messenger: a word of your own, entered in Meta's dashboard too, by which its webhook is "
        "verified.",
        secret=True,
    )
    messenger_page_tokens: tuple[tuple[str, str], ...] = setting(
        "",
        "Facebook Messenger: the access token of each Page as `page_id:token`, comma-separated.",
        _page_tokens,
        secret=True,
    )
    messenger_graph_url: str = setting(
        "https://graph.facebook.com", "Facebook Messenger: where the Graph API is.", _base_url
    )
    messenger_graph_version: str = setting(
        "v26.0", "Facebook Messenger: the version of the Graph API.", _graph_version
    )
    messenger_human_agent: bool | None = setting(
        "no",
        "Facebook Messenger: whether Meta has granted the app `HUMAN_AGENT`, so that staff can reply for 7 "
        "days instead of 24 hours.",
        _yes_no,
    )
    messenger_pause_hours: float = setting(
        "12",
        "Facebook Messenger: hours for which the bot leaves a conversation alone when a person has answered "
        "in the Page's inbox.",
        _hours,
    )

    @property
    def messenger_enabled(self) -> bool:
        return bool(self.messenger_app_secret)

    @property
    def messenger_tokens(self) -> Mapping[str, str]:
        """The access tokens by Page id."""
        return dict(self.messenger_page_tokens)

    @property
    def is_production(self) -> bool:
        return self.mode == PRODUCTION

    @property
    def rest_enabled(self) -> bool:
        return (not self.is_production) if self.rest is None else self.rest

    @property
    def store_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'milia.db').absolute()}"

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"

    def signing_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, derived from the secret, so that no two purposes share a key."""
        return hmac.digest(self.secret_key.encode(), purpose.encode(), "sha256")

    def person(self, channel: str, sender_id: str) -> Person:
        """The person behind a conversation, under a key that can't be turned back into the id."""
        key = hmac.digest(self.signing_key("person"), f"{channel}\0{sender_id}".encode(), "sha256")
        return Person(channel=channel, sender_id=sender_id, key=key.hex()[:32])


def read_env_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a `.env` file; comments and empty lines are left out."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise SettingsError(f"{path}, line {number}: write NAME=value.")
        values[name.strip()] = value.strip().strip("'\"")
    return values


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path = Path(".env")) -> Settings:
    """Reads the settings; the environment wins over `.env`.

    Raises:
        SettingsError: naming the first setting that is unknown, malformed or missing.
    """
    given = {**read_env_file(env_file), **(os.environ if environ is None else environ)}
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    _read_secret_files(given, known)
    for name in given:
        if name.startswith(PREFIX) and name not in known:
            raise SettingsError(
                f"{name} is not a setting of this project. See docs/settings.md for those that are."
            )
    values: dict[str, Any] = {}
    for name, f in known.items():
        raw = given.get(name, "") or f.metadata["default"]
        try:
            values[f.name] = f.metadata["parse"](raw)
        except ValueError as error:
            shown = "malformed" if f.metadata["secret"] else repr(raw)
            raise SettingsError(f"{name} is {shown}; it has to be {error}.") from None
    if not values["secret_key"] and values["mode"] == DEVELOPMENT:
        values["secret_key"] = _kept_secret(values["data_dir"] / "secret_key")
    settings = Settings(**values)
    _check(settings)
    return settings


def _read_secret_files(given: dict[str, str], known: Mapping[str, Any]) -> None:
    """Puts the text of the file that `NAME_FILE` names in the place of a secret setting."""
    for name, setting in known.items():
        file = given.pop(f"{name}_FILE", "") if setting.metadata["secret"] else ""
        if not file:
            continue
        if given.get(name):
            raise SettingsError(f"{name} and {name}_FILE are both set: leave one of them out.")
        try:
            given[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise SettingsError(f"{name}_FILE is {file!r}, which can't be read.") from None


def _check(settings: Settings) -> None:
    if settings.is_production and (found := list(problems(vars(settings)))):
        raise SettingsError("In production: " + " ".join(found))
    for_messenger = ("messenger_app_secret", "messenger_verify_token", "messenger_page_tokens")
    missing = [PREFIX + name.upper() for name in for_messenger if not getattr(settings, name)]
    if 0 < len(missing) < len(for_messenger):
        raise SettingsError(
            f"Facebook Messenger needs {' and '.join(missing)} too; or leave all of its settings empty."
        )
    if settings.log_level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise SettingsError(
            f"{PREFIX}LOG_LEVEL is {settings.log_level!r}; it has to be DEBUG, INFO, WARNING or ERROR."
        )


def _kept_secret(path: Path) -> str:
    """The secret of this folder; made once, readable by its owner only."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    scratch.touch(mode=0o600)
    scratch.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    try:
        os.link(scratch, path)  # the first of several processes wins
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
    return path.read_text(encoding="utf-8")
