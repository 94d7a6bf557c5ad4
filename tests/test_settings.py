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


def test_production_wants_a_strong_secret_and_closes_rest(tmp_path: Path) -> None:
    for weak in ("", "short", "a" * 40):
        with pytest.raises(SettingsError, match="MILIA_SECRET_KEY"):
            load(tmp_path, MODE="production", SECRET_KEY=weak)
    settings = load(tmp_path, MODE="production", SECRET_KEY=STRONG)
    assert not settings.rest_enabled
    assert load(tmp_path, MODE="production", SECRET_KEY=STRONG, REST="yes").rest_enabled


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
