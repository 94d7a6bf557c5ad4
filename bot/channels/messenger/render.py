"""A `Reply` as Messenger messages: long texts in pieces, next steps and links as buttons that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
import regex

from bot.channels.messenger import limits
from bot.model import Button, Link, Reply

Message = dict[str, Any]

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n+|(?<=[。！？])")
_SPACE = re.compile(r"\s+")
_COUNTRY = "AU"


@dataclass(frozen=True)
class Renderer:
    """Renders replies to one person.

    signed: gives the payload under which a button is sent to them.
    page_title: the title of one of several cards of choices, from its number and their number.
    """

    signed: Callable[[Button], str]
    page_title: Callable[[int, int], str]

    def messages(self, reply: Reply) -> list[Message]:
        """The messages of a reply, in order. Nothing that it holds is left out."""
        text = _with_code(reply.text.strip(), reply.code)
        links: list[Message] = []
        for link in reply.links:
            button = link_button(link)
            if button:
                links.append(button)
            elif link.target.removeprefix("tel:") not in text:
                text = f"{text}\n{link.title}".strip()  # a number that can't be a button, such as 000
        steps = reply.next_steps
        if not text and (links or steps):
            text = " · ".join([*(link["title"] for link in links), *(step.title for step in steps)])
        pieces = split_text(text, limits.TEXT)
        if not pieces:
            return []
        choices = [self._postback(step) for step in steps]
        if 0 < len(links) + len(steps) <= limits.TEMPLATE_BUTTONS:
            return _with_templates(pieces, [*links, *choices])
        messages = _with_templates(pieces, links)
        if len(steps) <= limits.QUICK_REPLIES:
            if steps:
                messages[-1]["quick_replies"] = [self._quick_reply(step) for step in steps]
            return messages
        return messages + self._cards(choices)

    def _postback(self, step: Button) -> Message:
        title = cut(step.title, limits.BUTTON_TITLE)
        return {"type": "postback", "title": title, "payload": self.signed(step)}

    def _quick_reply(self, step: Button) -> Message:
        title = cut(step.title, limits.QUICK_REPLY_TITLE)
        return {"content_type": "text", "title": title, "payload": self.signed(step)}

    def _cards(self, choices: Sequence[Message]) -> list[Message]:
        """Choices on cards to leaf through."""
        pages = chunks(choices, limits.CARD_BUTTONS)
        cards = [
            {"title": cut(self.page_title(number, len(pages)), limits.CARD_TITLE), "buttons": buttons}
            for number, buttons in enumerate(pages, start=1)
        ]
        return [
            _template({"template_type": "generic", "elements": some}) for some in chunks(cards, limits.CARDS)
        ]


def link_button(link: Link) -> Message | None:
    """A link as a button of its type; None for a phone number that can't be dialled from everywhere."""
    if not link.target.lower().startswith("tel:"):
        return {"type": "web_url", "title": cut(link.title, limits.BUTTON_TITLE), "url": link.target}
    number = international(link.target[len("tel:") :])
    if number is None:
        return None
    title = link.title
    if len(title) > limits.BUTTON_TITLE and (digits := re.search(r"\d[\d ]*", title)):
        title = f"{title.split()[0]} {digits[0].strip()}"  # the number matters most
    return {"type": "phone_number", "title": cut(title, limits.BUTTON_TITLE), "payload": number}


def international(number: str) -> str | None:
    """The number with its country code, as Messenger wants it."""
    try:
        parsed = phonenumbers.parse(number, _COUNTRY)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _with_code(text: str, code: str | None) -> str:
    """The text with the discount code in it."""
    return text if not code or code in text else f"{text}\n{code}".strip()


def _with_templates(pieces: list[str], buttons: Sequence[Message]) -> list[Message]:
    """The text as messages, the last of which carry the buttons if there are any."""
    if not buttons:
        return [{"text": piece} for piece in pieces]
    groups = chunks(buttons, limits.TEMPLATE_BUTTONS)
    *before, last = pieces
    ending = split_text(last, limits.TEMPLATE_TEXT)[-1]
    rest = last.removesuffix(ending).strip()
    messages: list[Message] = [{"text": text} for text in (*before, rest) if text]
    bodies = [ending, *(" · ".join(button["title"] for button in group) for group in groups[1:])]
    for body, group in zip(bodies, groups, strict=True):
        messages.append(_template({"template_type": "button", "text": body, "buttons": group}))
    return messages


def _template(payload: Message) -> Message:
    return {"attachment": {"type": "template", "payload": payload}}


# ------------------------------------------------------------ text


def split_text(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters: at ends of sentences, else between words, else
    between graphemes."""
    pieces = []
    text = text.strip()
    while characters(text) > limit:
        end = _end_of_piece(text, limit)
        pieces.append(text[:end].strip())
        text = text[end:].strip()
    return [piece for piece in [*pieces, text] if piece]


def characters(text: str) -> int:
    """The length as Meta may count it: in UTF-16, the longest way."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _end_of_piece(text: str, limit: int) -> int:
    head = text[: limit + 100]  # with the spaces that may follow a piece
    graphemes = {match.end() for match in regex.finditer(r"\X", head)}
    window = _fitting(head, limit)
    for pattern in (_SENTENCE, _SPACE):
        ends = [match.end() for match in pattern.finditer(head) if match.end() in graphemes]
        fitting = [end for end in ends if len(head[:end].rstrip()) <= window]
        if fitting and fitting[-1] > window // 4:  # a piece of a few words looks torn off
            return fitting[-1]
    return window


def _fitting(text: str, limit: int) -> int:
    """How much of a text fits, in whole graphemes."""
    end = used = 0
    for match in regex.finditer(r"\X", text):
        used += characters(match[0])
        if used > limit:
            break
        end = match.end()
    if end == 0:  # one grapheme that is too long, as hostile text may hold
        return next((i for i in range(len(text), 0, -1) if characters(text[:i]) <= limit), 0)
    return end


def cut(text: str, limit: int) -> str:
    """The text, shortened to fit where it can't be split."""
    if characters(text) <= limit:
        return text
    return text[: _fitting(text, limit - 1)].rstrip() + "…"


def chunks(items: Sequence[Any], size: int) -> list[Any]:
    """The items in groups of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]
