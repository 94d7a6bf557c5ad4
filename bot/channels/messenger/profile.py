"""What people see of a Page before they write, and which events its webhook gets.

`python -m bot messenger setup` reads what is there, says what differs, and writes only that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.channels.messenger import limits
from bot.channels.messenger.graph import Graph, GraphError
from bot.channels.messenger.render import cut
from bot.model import Button
from bot.payloads import sign
from bot.settings import Settings, SettingsError
from bot.store.messenger_model import CHANNEL
from bot.texts import Texts, load_texts

GET_STARTED = Button("Get Started", "/get_started")
SUBSCRIPTIONS = ("messages", "messaging_postbacks", "message_echoes", "standby")
"""The webhook's fields that the channel needs."""

Profile = dict[str, Any]


def wanted_profile(settings: Settings, texts: Texts) -> Profile:
    """The profile as domain.yml has it. Everybody gets the same buttons, so they are signed for everybody."""
    key = settings.signing_key("buttons")

    def signed(button: Button) -> str:
        return sign(button, CHANNEL, key)

    questions = texts.reply("utter_messenger_ice_breakers").next_steps[: limits.ICE_BREAKERS]
    menu = texts.reply("utter_messenger_menu").next_steps[: limits.MENU_ITEMS]
    return {
        "get_started": {"payload": signed(GET_STARTED)},
        "greeting": [
            {
                "locale": "default",
                "text": cut(texts.reply("utter_messenger_greeting").text, limits.GREETING),
            }
        ],
        "ice_breakers": [
            {
                "locale": "default",
                "call_to_actions": [
                    {"question": cut(b.title, limits.ICE_BREAKER_QUESTION), "payload": signed(b)}
                    for b in questions
                ],
            }
        ],
        "persistent_menu": [
            {
                "locale": "default",
                "composer_input_disabled": False,
                "call_to_actions": [
                    {"type": "postback", "title": cut(b.title, limits.MENU_TITLE), "payload": signed(b)}
                    for b in menu
                ],
            }
        ],
    }


def differing(wanted: Profile, found: Mapping[str, Any]) -> Profile:
    """The parts of the wanted profile that a Page doesn't have like this."""
    return {name: value for name, value in wanted.items() if not _same(value, found.get(name))}


def _same(wanted: Any, found: Any) -> bool:
    """Whether what was found says everything that is wanted; Meta may add to it."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _same(value, found.get(key, False if value is False else None)) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        same_length = isinstance(found, list) and len(found) == len(wanted)
        return same_length and all(map(_same, wanted, found))
    return bool(wanted == found)


async def set_up_page(
    graph: Graph, page: str, wanted: Profile, say: Callable[[str], None], dry_run: bool
) -> bool:
    """Makes a Page as it is wanted; says whether there was anything to change. Raises GraphError."""
    answer = await graph.call(
        page, "GET", "me/messenger_profile", parameters={"fields": ",".join(sorted(wanted))}
    )
    data = answer.get("data")
    found = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    changes = differing(wanted, found)
    for name, value in changes.items():
        say(f"  {name}")
        if found.get(name) is not None:
            say(f"    - {_short(found[name])}")
        say(f"    + {_short(value)}")
    if changes and not dry_run:
        await graph.call(page, "POST", "me/messenger_profile", changes)
    missing = await _missing_subscriptions(graph, page)
    if missing:
        say(f"  webhook fields\n    + {', '.join(missing)}")
        if not dry_run:
            fields = ",".join(SUBSCRIPTIONS)
            await graph.call(page, "POST", f"{page}/subscribed_apps", {"subscribed_fields": fields})
    return bool(changes or missing)


async def _missing_subscriptions(graph: Graph, page: str) -> list[str]:
    ours = (await graph.call(page, "GET", "app", parameters={"fields": "id"})).get("id")
    apps = (await graph.call(page, "GET", f"{page}/subscribed_apps")).get("data")
    have = {
        field
        for app in (apps if isinstance(apps, list) else [])
        if isinstance(app, dict) and app.get("id") == ours
        for field in app.get("subscribed_fields") or ()
    }
    return [field for field in SUBSCRIPTIONS if field not in have]


def _short(value: Any) -> str:
    """A part of the profile in one line, without the signatures."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        first = value[0]
        actions = first.get("call_to_actions")
        if isinstance(actions, list):
            return "; ".join(str(a.get("question") or a.get("title")) for a in actions if isinstance(a, dict))
        return str(first.get("text", json.dumps(first)))
    return str(value.get("payload", "")).partition("~")[0] if isinstance(value, Mapping) else str(value)


def set_up(settings: Settings, say: Callable[[str], None], dry_run: bool = False) -> int:
    """Sets all Pages up; returns the exit status.

    Raises:
        SettingsError: Messenger has no settings.
    """
    if not settings.messenger_enabled:
        raise SettingsError("Messenger has no settings yet: docs/messenger.md says what to enter where.")
    return asyncio.run(_set_up_all(settings, say, dry_run))


async def _set_up_all(settings: Settings, say: Callable[[str], None], dry_run: bool) -> int:
    wanted = wanted_profile(settings, load_texts(settings))
    graph = Graph(settings)
    failed = False
    try:
        for page in settings.messenger_tokens:
            say(f"Page {page}:")
            try:
                changed = await set_up_page(graph, page, wanted, say, dry_run)
            except GraphError as error:
                say(f"  could not be set up. {error}")
                failed = True
            else:
                done = "would be changed (dry run)." if dry_run else "done."
                say(f"  {done if changed else 'is up to date.'}")
    finally:
        await graph.close()
    return 1 if failed else 0
