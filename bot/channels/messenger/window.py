"""Until when staff may write to a person, and what they are told when they may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.channels.messenger import limits
from bot.store.messenger_model import Thread

HUMAN_AGENT = "HUMAN_AGENT"


@dataclass(frozen=True)
class Window:
    """Whether a person may be written to.

    until: the end of the time in which they may; None when they never wrote.
    tag: what the message has to be marked with.
    problem: why they may not be written to, for staff; empty when they may.
    """

    until: datetime | None
    tag: str = ""
    problem: str = ""


def reply_window(thread: Thread | None, now: datetime, human_agent: bool) -> Window:
    """The window for a reply that a person of the clinic writes.

    human_agent: whether Meta has granted the `HUMAN_AGENT` tag.
    """
    if thread is None or thread.last_at is None:
        return Window(None, problem="This person has never written to the Page on Messenger.")
    day, week = thread.last_at + limits.WINDOW, thread.last_at + limits.HUMAN_AGENT_WINDOW
    if now < day:
        return Window(week if human_agent else day)
    if human_agent and now < week:
        return Window(week, tag=HUMAN_AGENT)
    if human_agent:
        return Window(
            week, problem="Messenger allows replies for 7 days after a person's last message; they are over."
        )
    return Window(
        day,
        problem="Messenger allows replies for 24 hours after a person's last message; they are over. "
        "With the HUMAN_AGENT permission (MILIA_MESSENGER_HUMAN_AGENT) it would be 7 days.",
    )
