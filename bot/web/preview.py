"""A reply as the website and Messenger will show it, with Messenger's limits."""

from __future__ import annotations

from dataclasses import dataclass

from bot.channels.messenger.render import Renderer
from bot.model import Reply


@dataclass(frozen=True)
class Bubble:
    """One message: its text, the buttons in it, and the suggestions under it."""

    text: str
    buttons: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


def on_website(reply: Reply) -> list[Bubble]:
    """What the website's chat shows: always one message."""
    links = (*(link.title for link in reply.links), *([f"Copy {reply.code}"] if reply.code else []))
    return [Bubble(reply.text, links, tuple(step.title for step in reply.next_steps))]


def on_messenger(reply: Reply) -> list[Bubble]:
    """What Messenger shows, made by what sends it."""
    renderer = Renderer(signed=lambda button: button.payload, page_title=lambda number, of: "")
    found = []
    for message in renderer.messages(reply):
        template = (message.get("attachment") or {}).get("payload") or {}
        found.append(
            Bubble(
                message.get("text") or template.get("text") or "",
                tuple(button["title"] for button in template.get("buttons") or ()),
                tuple(step["title"] for step in message.get("quick_replies") or ()),
            )
        )
    return found
