"""Settings: defaults, `.env`, mistakes named in one sentence, secrets made once and never shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from bot.settings import PREFIX, Settings, SettingsError, load_settings

NO_FILE = Path("no such file")
STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"


def load(tmp_path: Path, **given: str) -> Settings:
    values = {"DATA_DIR": str(tmp_path), **given}
    return load_settings({PREFIX + name: value for name, value in values.items()}, NO_FILE)


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.chat_port, settings.actions_port, settings.staff_port) == (5005, 5055, 5080)
    assert settings.host == settings.actions_host == settings.staff_host == "127.0.0.1"
    assert settings.rest_enabled and not settings.messenger_enabled
    assert settings.store_url == f"sqlite:///{tmp_path / 'milia.db'}"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        f"# ours\nMILIA_CHAT_PORT=6001\nMILIA_STAFF_PORT='6002'\nMILIA_DATA_DIR={tmp_path}\n\nOTHER=1\n"
    )
    settings = load_settings({"MILIA_CHAT_PORT": "7001"}, file)
    assert (settings.chat_port, settings.staff_port) == (7001, 6002)
    file.write_text("MILIA_CHAT_PORT\n")
    with pytest.raises(SettingsError, match="line 1"):
        load_settings({}, file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHAT_PORT", "http"),
        ("CHAT_PORT", "70000"),
        ("MODE", "test"),
        ("REST", "perhaps"),
        ("ACTIONS_TIMEOUT", "-1"),
        ("ACTIONS_TIMEOUT", "nan"),
        ("ALLOWED_ORIGINS", "https://x.example/path"),
        ("SMTP_SECURITY", "ssl"),
        ("DIGEST_HOUR", "24"),
        ("LOG_LEVEL", "LOUD"),
        ("MESSENGER_GRAPH_VERSION", "26"),
        ("RETENTION_DAYS", "0"),
        ("CHATPORT", "5005"),
    ],
)
def test_a_mistake_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=PREFIX + name):
        load(tmp_path, **{name: value})


def test_a_malformed_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, MESSENGER_PAGE_TOKENS="not-a-page:hush")
    assert "hush" not in str(error.value)


def test_half_of_messenger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MILIA_MESSENGER_VERIFY_TOKEN and MILIA_MESSENGER_PAGE_TOKENS"):
        load(tmp_path, MESSENGER_APP_SECRET="x")


PRODUCTION = {
    "MODE": "production",
    "SECRET_KEY": STRONG,
    "ALLOWED_ORIGINS": "https://www.clinic.test",
    "PUBLIC_URL": "https://chat.clinic.test",
    "STAFF_URL": "https://staff.clinic.test",
}


def test_production_closes_the_rest_channel(tmp_path: Path) -> None:
    assert load(tmp_path, **PRODUCTION).is_production
    assert not load(tmp_path, **PRODUCTION).rest_enabled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 40),
        ("SECRET_KEY", "change-me-0123456789-bcdfghjklmnpq"),
        ("SECRET_KEY", "my-password-is-very-very-very-long"),
        ("REST", "yes"),
        ("ALLOWED_ORIGINS", ""),
        ("ALLOWED_ORIGINS", "https://www.clinic.test,http://other.test"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://chat.clinic.test"),
        ("STAFF_URL", ""),
        ("DATABASE_URL", "postgresql://milia:postgres@db/milia"),
        ("REDIS_URL", "redis://:password123456@redis/0"),
    ],
)
def test_production_refuses(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=PREFIX + name) as error:
        load(tmp_path, **{**PRODUCTION, name: value})
    secret = name in {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} and value
    assert not (secret and value in str(error.value))


@pytest.mark.parametrize("name", ["MESSENGER_APP_SECRET", "MESSENGER_VERIFY_TOKEN"])
def test_production_refuses_a_secret_of_messenger_that_can_be_guessed(name: str, tmp_path: Path) -> None:
    given = {
        **PRODUCTION,
        "MESSENGER_APP_SECRET": "0123456789abcdef" * 2,
        "MESSENGER_VERIFY_TOKEN": "cG9zdC1ib3gtc2l4",
        "MESSENGER_PAGE_TOKENS": "1:token",
    }
    assert load(tmp_path, **given).messenger_enabled
    with pytest.raises(SettingsError, match=PREFIX + name):
        load(tmp_path, **{**given, name: "letmein"})


def test_production_names_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, MODE="production")
    for name in ("SECRET_KEY", "ALLOWED_ORIGINS", "PUBLIC_URL", "STAFF_URL"):
        assert PREFIX + name in str(error.value)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(STRONG + "\n")
    assert load(tmp_path, SECRET_KEY_FILE=str(file)).secret_key == STRONG
    with pytest.raises(SettingsError, match="both set"):
        load(tmp_path, SECRET_KEY_FILE=str(file), SECRET_KEY=STRONG)
    with pytest.raises(SettingsError, match="MILIA_SECRET_KEY_FILE"):
        load(tmp_path, SECRET_KEY_FILE=str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="MILIA_CHAT_PORT_FILE is not a setting"):
        load(tmp_path, CHAT_PORT_FILE=str(file))


def test_a_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: load(tmp_path / "new").secret_key, range(8)))
    assert len(made) == 1 and len(made.pop()) >= 32
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o077 == 0


def test_keys_differ_by_purpose_and_people_by_channel(tmp_path: Path) -> None:
    settings = load(tmp_path, SECRET_KEY=STRONG)
    assert settings.signing_key("buttons") != settings.signing_key("person")
    keys = {settings.person(*who).key for who in (("rest", "a"), ("website", "a"), ("rest", "b"))}
    assert len(keys) == 3
    assert settings.person("rest", "a") == load(tmp_path / "other", SECRET_KEY=STRONG).person("rest", "a")


def test_every_setting_explains_itself_and_is_documented() -> None:
    document = Path("docs/settings.md").read_text(encoding="utf-8")
    example = Path(".env.example").read_text(encoding="utf-8")
    for field in fields(Settings):
        assert field.metadata["explanation"].endswith(".")
        assert f"`{PREFIX}{field.name.upper()}`" in document
        assert f"{PREFIX}{field.name.upper()}=" in example
