"""`python -m bot messenger setup` against Meta's own checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot import __main__
from bot.channels.messenger.limits import version_warning
from bot.channels.messenger.profile import SUBSCRIPTIONS, set_up
from bot.model import utc_now
from bot.payloads import verify
from bot.settings import Settings, SettingsError, load_settings
from tests.doubles.graph_api import Meta


async def test_it_is_written_once_and_then_up_to_date(
    make_settings: Callable[..., Settings], meta: Meta
) -> None:
    settings = make_settings()
    said: list[str] = []

    async def run(dry_run: bool = False) -> int:
        said.clear()
        return await asyncio.to_thread(set_up, settings, said.append, dry_run)

    assert await run(dry_run=True) == 0
    assert meta.profiles.get("100", {}) == {} and "would be changed" in said[-1]
    assert await run() == 0
    for page in meta.tokens:
        profile = meta.profiles[page]
        assert set(profile) == {"get_started", "greeting", "ice_breakers", "persistent_menu"}
        assert meta.subscriptions[page] == list(SUBSCRIPTIONS)
    menu = profile["persistent_menu"][0]["call_to_actions"]
    key = settings.signing_key("buttons")
    assert [verify(item["payload"], "facebook", key).payload for item in menu] == [  # type: ignore[union-attr]
        "/book_appointment",
        "/ask_discount",
        "/ask_phone",
    ]
    assert len(profile["ice_breakers"][0]["call_to_actions"]) == 4
    calls = len(meta.calls)
    assert await run() == 0
    assert said == ["Page 100:", "  is up to date.", "Page 200:", "  is up to date."]
    assert all(method == "GET" for method, _ in meta.calls[calls:])
    meta.profiles["100"]["greeting"] = [{"locale": "default", "text": "Old words"}]
    assert await run() == 0
    assert said[1:4] == ["  greeting", "    - Old words", f"    + {profile['greeting'][0]['text']}"]
    assert not any("token-" in line or "~" in line for line in said)


async def test_a_page_that_refuses_is_named(make_settings: Callable[..., Settings], meta: Meta) -> None:
    settings = make_settings(messenger_page_tokens="100:token-100,300:no-such-token")
    said: list[str] = []
    assert await asyncio.to_thread(set_up, settings, said.append) == 1
    assert said[-1] == "  could not be set up. Graph error 190"
    meta.unauthorised.clear()


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("bot.settings.load_settings", lambda: load_settings({}))
    assert __main__.main(["messenger", "setup", "--dry-run"]) == 2
    assert "docs/messenger.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"app_secret": "s"}, "MILIA_MESSENGER_VERIFY_TOKEN and MILIA_MESSENGER_PAGE_TOKENS"),
        ({"app_secret": "s", "verify_token": "v"}, "MILIA_MESSENGER_PAGE_TOKENS"),
        ({"verify_token": "v", "page_tokens": "1:t"}, "MILIA_MESSENGER_APP_SECRET"),
        ({"app_secret": "s", "verify_token": "v", "page_tokens": "my-secret-token"}, "page_id:token"),
        ({"app_secret": "s", "verify_token": "v", "page_tokens": "1:a,1:b"}, "each Page once"),
        ({"graph_version": "26"}, "v26.0"),
        ({"pause_hours": "0"}, "MILIA_MESSENGER_PAUSE_HOURS"),
    ],
)
def test_settings_that_are_not_whole_are_refused(given: dict[str, str], named: str, tmp_path: object) -> None:
    variables = {f"MILIA_MESSENGER_{name.upper()}": value for name, value in given.items()}
    with pytest.raises(SettingsError) as error:
        load_settings({"MILIA_DATA_DIR": str(tmp_path), **variables})
    assert named in str(error.value) and "my-secret" not in str(error.value)


def test_a_version_near_its_end_is_named() -> None:
    today = utc_now().date().replace(year=2026, month=12, day=1)
    assert version_warning("v26.0", today) is None and version_warning("v25.0", today) is None
    assert "v25.0" in (version_warning("v25.0", today.replace(year=2028)) or "")
    assert "old" in (version_warning("v12.0", today) or "")
