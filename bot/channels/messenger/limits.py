"""Meta's limits and codes, all in one place; (unconfirmed) ones could not be checked on a current page."""

from __future__ import annotations

from datetime import date, timedelta

# ------------------------------------------------------------ what comes in

MAX_BODY_BYTES = 1024 * 1024
PAGE_INBOX_APPS = frozenset({"263902037430900"})
"""The `app_id` of echoes of what a person wrote in the Page's inbox (unconfirmed); they may have none."""

# ------------------------------------------------------------ what goes out

TEXT = 2000
"""Characters of a text message."""
QUICK_REPLIES = 13
QUICK_REPLY_TITLE = 20
TEMPLATE_TEXT = 640
TEMPLATE_BUTTONS = 3
BUTTON_TITLE = 20
PAYLOAD = 1000
CARDS = 10
"""Elements of a generic template."""
CARD_TITLE = 80
CARD_BUTTONS = 3
METADATA = 1000

# ------------------------------------------------------------ profile

GREETING = 160  # (unconfirmed)
ICE_BREAKERS = 4
ICE_BREAKER_QUESTION = 80  # (unconfirmed)
MENU_ITEMS = 20
MENU_TITLE = 30  # (unconfirmed)

# ------------------------------------------------------------ when somebody may be written to

WINDOW = timedelta(hours=24)
"""After the person's last message, for anything."""
HUMAN_AGENT_WINDOW = timedelta(days=7)
"""After it, for text that a person wrote, where Meta has granted the `HUMAN_AGENT` tag."""

# ------------------------------------------------------------ Graph API

SENDS_PER_SECOND = 80.0
"""To one Page from one server process. Meta allows a few hundred for text (unconfirmed)."""

WORTH_A_FEW_RETRIES = frozenset({1, 2})
"""Unknown and temporary errors, which also come for requests that will never work."""
WORTH_A_RETRY = frozenset({4, 17, 613, 1200})
"""Too many calls, or a temporary failure."""
TOO_MANY_CALLS = frozenset({4, 17, 613})
WINDOW_CLOSED = 10
BAD_REQUEST = 100
TOKEN_DEAD = 190
PERSON_UNAVAILABLE = 551

VERSION_ENDS = {"v25.0": date(2028, 7, 1)}
"""Until when a Graph API version lives. Newer ones have no announced end."""
WARN_BEFORE_END = timedelta(days=180)


def version_warning(version: str, today: date) -> str | None:
    """What to say about a version that is near its end, or past it."""
    ends = VERSION_ENDS.get(version)
    if ends is None:
        known = min(VERSION_ENDS, key=_number)
        if _number(version) >= _number(known):
            return None
        return f"Graph API {version} is old: set MILIA_MESSENGER_GRAPH_VERSION to a newer one."
    if today < ends - WARN_BEFORE_END:
        return None
    return f"Graph API {version} ends on {ends}: set MILIA_MESSENGER_GRAPH_VERSION to a newer one."


def _number(version: str) -> float:
    return float(version.removeprefix("v"))
