"""The one reply contract: from a response of domain.yml to a `Reply`, and back to plain data.

A response holds `text`, `buttons` (next steps) and under `custom` what Rasa has no word for: `links`,
`code`, `id`, `author`. Names in braces are filled in from the clinic's facts; other braces stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.clinic import Clinic
from bot.model import Button, Link, Reply, new_id

MAX_NEXT_STEPS = 3
_NAME_IN_BRACES = re.compile(r"\{([a-z_]+)\}")
_SAFE_TARGET = re.compile(r"^(https?://|tel:)", re.IGNORECASE)


def fill(template: Any, facts: Mapping[str, str]) -> Any:
    """Fills `{name}` in a text, or in every text of a list or dict; unknown names stay as written."""
    if isinstance(template, str):
        return _NAME_IN_BRACES.sub(lambda match: str(facts.get(match[1], match[0])), template)
    if isinstance(template, Mapping):
        return {key: fill(value, facts) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, facts) for value in template]
    return template


def to_reply(message: Mapping[str, Any], clinic: Clinic, facts: Mapping[str, str] | None = None) -> Reply:
    """A `Reply` from a response of domain.yml, or from what an action uttered.

    The phone line and the website become links wherever a text names them, so no text has to say so twice.

    Args:
        message: `text`, `buttons` and `custom`, as in domain.yml.
        facts: what names in braces stand for, besides the clinic's facts.
    """
    given = {**clinic.facts(), **(facts or {})}
    custom = fill(message.get("custom") or {}, given)
    text = fill(message.get("text") or "", given)
    links = [Link(link["title"], link["target"]) for link in custom.get("links", ())]
    links += links_named_in(text, clinic)
    return Reply(
        text=text,
        next_steps=tuple(Button(b["title"], b["payload"]) for b in fill(message.get("buttons") or [], given)),
        links=_safe_and_unique(links),
        code=custom.get("code"),
        id=custom.get("id") or new_id(),
        author=custom.get("author", "bot"),
    )


def links_named_in(text: str, clinic: Clinic) -> list[Link]:
    """Links for the clinic's phone line and website where the text names them."""
    links = []
    if clinic.phone in text:
        links.append(Link(f"Call {clinic.phone}", clinic.phone_link))
    if clinic.website in text:
        links.append(Link(clinic.website, clinic.website_link))
    return links


def _safe_and_unique(links: Iterable[Link]) -> tuple[Link, ...]:
    kept: dict[str, Link] = {}
    for link in links:
        if _SAFE_TARGET.match(link.target):
            kept.setdefault(link.target, link)
    return tuple(kept.values())


def join(replies: Sequence[Reply], answered: Iterable[str] = ()) -> Reply:
    """Several answers as one readable reply: texts in order, links, and next steps not answered already.

    Args:
        answered: payloads of what these replies answer, which need not be offered again.
    """
    done = set(answered)
    steps: dict[str, Button] = {}
    for button in _in_turns([reply.next_steps for reply in replies]):
        if button.payload not in done:
            steps.setdefault(button.payload, button)
    texts = dict.fromkeys(reply.text for reply in replies)
    return Reply(
        text="\n\n".join(texts),
        next_steps=tuple(steps.values())[:MAX_NEXT_STEPS],
        links=_safe_and_unique(link for reply in replies for link in reply.links),
        code=next((reply.code for reply in replies if reply.code), None),
    )


def _in_turns(groups: Sequence[Sequence[Button]]) -> Iterable[Button]:
    """First of each group, then second of each, so that every answer keeps its best next step."""
    for place in range(max((len(group) for group in groups), default=0)):
        for group in groups:
            if place < len(group):
                yield group[place]


def to_message(reply: Reply) -> dict[str, Any]:
    """The plain data that Rasa carries to a channel and keeps in the tracker."""
    custom: dict[str, Any] = {"id": reply.id}
    if reply.links:
        custom["links"] = [{"title": link.title, "target": link.target} for link in reply.links]
    if reply.code:
        custom["code"] = reply.code
    if reply.author != "bot":
        custom["author"] = reply.author
    message: dict[str, Any] = {"text": reply.text, "custom": custom}
    if reply.next_steps:
        message["buttons"] = [{"title": b.title, "payload": b.payload} for b in reply.next_steps]
    return message


def from_message(message: Mapping[str, Any]) -> Reply:
    """The `Reply` that `to_message` was given; nothing is filled in again."""
    custom = message.get("custom") or {}
    return Reply(
        text=message.get("text") or "",
        next_steps=tuple(Button(b["title"], b["payload"]) for b in message.get("buttons") or ()),
        links=_safe_and_unique(Link(link["title"], link["target"]) for link in custom.get("links", ())),
        code=custom.get("code"),
        id=custom.get("id") or new_id(),
        author=custom.get("author", "bot"),
    )
