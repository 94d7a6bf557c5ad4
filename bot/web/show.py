"""How things are written on the pages: times, states, reasons, and the lines of the history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from bot.details import shown_phone
from bot.model import utc_now
from bot.review import DISMISSALS, WRITABLE
from bot.review_model import LIKELY, HistoryEntry, Role, close
from bot.web.desk import desk

REASONS = {
    "fallback": "No confident answer",
    "out_of_scope": "Not about what it knows",
    "not_published": "Clinic has no published answer",
    "thumbs_down": "Thumbs down",
    "none_of_these": "None of the choices",
    "unsupported": "Photo, voice or file",
    "red_flag": "Red flag",
}
STATES = {
    "new": "New",
    "in_review": "In review",
    "answered": "Answered",
    "dismissed": "Dismissed",
    "out_of_scope": "Out of scope",
    "clinical": "Clinical",
}
CALLBACK_STATES = {
    "open": "To call",
    "taken": "Taken",
    "no_answer": "No answer yet",
    "done": "Done",
    "withdrawn": "Withdrawn",
}
FACTS = {
    "phone": ("Phone", "As people dial it, for example 1300\u00a0455\u00a0792."),
    "booking_url": (
        "Online booking",
        "{service} and {source} are filled in: what was asked about, and the channel.",
    ),
    "hours": ("Opening hours", "Empty: the assistant says that it doesn't know them."),
    "address": ("Address", "Empty: the assistant gives the phone line instead."),
    "privacy_url": ("Privacy policy", "Its address. Empty: the website."),
    "specialist": ("Specialist", "Who treats milia."),
    "offer.code": ("Discount code", "Empty: there is no offer."),
    "offer.terms": ("Terms of the offer", "Always shown with the code."),
    "offer.starts": ("First day", "Empty: it stands already."),
    "offer.ends": ("Last day", "Empty: it has no end."),
}
"""The clinic's facts on the page of its details: what each is called there, and a hint."""
HELD = {
    "callback_requests": "Call-back requests",
    "callback_states": "How far call-backs have come",
    "unanswered_questions": "Questions in the queue",
    "question_places": "Places in groups of questions",
    "booking_handoffs": "What they were given",
    "events": "What happened, without texts",
    "outgoing_replies": "Replies from staff",
    "conversation_turns": "The conversation",
    "messenger_inbox": "What came from Messenger",
    "messenger_outbox": "What goes to Messenger",
    "messenger_threads": "Their thread on Messenger",
    "spool": "What was not stored yet",
}
"""What is held on a person, by table."""
CHANNELS = {"website": "Website", "facebook": "Messenger", "rest": "REST"}
ROLES = {
    "reviewer": "Reviewer: decides about questions, makes call-backs",
    "editor": "Editor: writes and publishes answers as well",
    "admin": "Admin: people and privacy, clinic details and accounts as well",
}

_TOLD = {
    "needs_answer": "Needs a new answer",
    "clinical": "Clinical: the assistant never answers it",
    "out_of_scope": "Out of scope",
    "reopened": "Opened again",
    "returned": "Came back: many more people asked it",
    "commented": "Commented",
    "replied": "Replied to a person",
    "merged_away": "Merged into another question",
    "split_off": "Split off from another question",
    "take": "Took the call-back",
    "no_answer": "Called; nobody answered",
    "done": "Called; done",
    "release": "Gave the call-back back",
    "added": "Added an account",
    "changed_password": "Changed their password",
    "reset_password": "Gave a new one-time password",
    "switched_off": "Switched an account off",
    "switched_on": "Switched an account on",
    "erased": "Erased a person",
    "retention": "Deleted what was older than its period",
    "publish_wanted": "Wanted to publish",
    "candidate": "Tested a candidate: as good as the live release",
    "accepted": "Took a difference of a candidate although it is worse",
    "wrote": "Changed the answer",
    "imported": "Brought the answer in from a file",
    "restored": "Restored an earlier text of the answer",
    "withdrew": "Withdrew the answer",
    "approved": "Approved the answer",
    "review_due": "Came back: the day to look at it again has passed",
}


def register(app: Flask) -> None:
    """Makes these available to the templates."""
    app.jinja_env.filters.update(
        ago=ago,
        close=close,
        day=day,
        when=when,
        told=told,
        phone=shown_phone,
        channel=channels_name,
        held=held,
    )
    app.jinja_env.globals.update(
        REASONS=REASONS, STATES=STATES, CALLBACK_STATES=CALLBACK_STATES, CHANNELS=CHANNELS, HELD=HELD,
        ROLES=ROLES, DISMISSALS=DISMISSALS, LIKELY=LIKELY, WRITABLE=WRITABLE, asset=asset, plural=plural,
        may=may, topic_title=topic_title, other_page=other_page,
    )  # fmt: skip


def asset(path: str) -> str:
    """The address of a static file, which changes when the file does."""
    return url_for("static", filename=path, v=_digest(Path(current_app.static_folder or "") / path))


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def may(role: str) -> bool:
    """Whether the one who is signed in has this role."""
    return bool(current_user.is_authenticated and current_user.account.role.includes(Role(role)))


def topic_title(intent: str) -> str:
    """What a topic is called."""
    return desk().topics().title(intent)


def channels_name(channel: str) -> str:
    """What a channel is called."""
    return CHANNELS.get(channel, channel)


def other_page(number: int) -> str:
    """This address with another page of the list."""
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if not name.startswith("_")}
    return url_for(request.endpoint or "", **{**kept, "page": number})


def plural(number: int, one: str, many: str = "") -> str:
    """`1 person`, `2 people`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ago(time: datetime | None) -> str:
    """How long ago, in words."""
    if time is None:
        return "never"
    seconds = (utc_now() - time).total_seconds()
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{plural(int(seconds // size), name)} ago"
    return "just now"


def day(date: date) -> str:
    """A day, for example 5 Nov 2026."""
    return f"{date.day} {date:%b %Y}"


def when(time: datetime) -> str:
    """Day and time at the clinic."""
    local = time.astimezone(desk().zone)
    return f"{local:%a} {local.day} {local:%b %Y}, {local:%H:%M}"


def held(value: Any, name: str) -> str:
    """What a column of this name holds on a person: a time at the clinic, a text, or else as JSON."""
    if name == "at" or name.endswith(("_at", "_until")):
        return when(datetime.fromisoformat(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _published(action: str, data: Mapping[str, Any]) -> str:
    number = data.get("number")
    said = {
        "released": f"Made release {number} of the program’s files",
        "published": f"Published release {number}",
        "rolled_back": f"Went back from release {data.get('before')} to release {number}",
        "refused": f"Publishing was refused: {data.get('reason')}",
        "publish_failed": f"Publishing failed: {data.get('reason')}",
        "accepted": f"{_TOLD['accepted']}: {data.get('why')}",
    }
    return said.get(action) or _TOLD.get(action, action)


def told(entry: HistoryEntry, names: Mapping[str, str] | None = None) -> str:
    """What was done, as a sentence."""
    data: Mapping[str, Any] = entry.data
    if entry.action == "answered":
        return f"Answered by “{topic_title(data['topic'])}”"
    if entry.action == "returned" and data.get("because") == "withdrawn":
        return "Came back: its answer was withdrawn"
    if entry.action == "wrote" and data.get("revision") == 1 and not data.get("changed"):
        return "Wrote the answer" + (", to be approved" if data.get("waits") else "")
    if entry.action == "wrote" and data.get("waits"):
        return "Changed the answer, to be approved"
    if entry.action == "dismissed":
        return f"Dismissed: {DISMISSALS.get(data['reason'], data['reason'])}"
    if entry.action == "assigned":
        name = (names or {}).get(data["to"], "a colleague")
        return f"Asked {name} to look at it" if data["to"] else "Asked nobody in particular"
    if entry.action == "merged":
        return "Merged another question into it"
    if entry.action == "split":
        return f"Split {plural(data['questions'], 'question')} off"
    if entry.action == "undid":
        before = _TOLD.get(data.get("action", ""), data.get("action", "")).replace("_", " ")
        return f"Took back: {before or 'the latest step'}"
    if entry.subject in ("release", "publish"):
        return _published(entry.action, data)
    if entry.action == "changed" and entry.subject == "clinic":
        return f"Changed the clinic’s details: {', '.join(FACTS[name][0] for name in data['changed'])}"
    if entry.action == "changed_role":
        return f"Changed an account’s role to {data.get('role', '')}"
    return _TOLD.get(entry.action, entry.action.replace("_", " ").capitalize())
