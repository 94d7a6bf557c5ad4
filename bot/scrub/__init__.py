"""Takes personal data out of a text before people or programs beyond the conversation read it.

Phone numbers, email addresses, dates of birth, Medicare and card numbers and street addresses are found by
their form (bot/scrub/forms.py), names by what is written around them and by spaCy (bot/scrub/names.py).
`benchmarks/scrub.py` says how well.
"""

from __future__ import annotations

from bot.scrub.forms import find_forms
from bot.scrub.memory import Memory
from bot.scrub.names import find_names
from bot.scrub.span import Span, visible

LONGEST = 2000
"""Characters that are kept; nothing a person asks is longer, and the work is bounded."""

CUT = " [cut]"


def scrub(text: str) -> str:
    """The text with `[phone] [email] [dob] [medicare] [card] [address] [name]` in place of personal data."""
    cut = len(text) > LONGEST
    text = text[:LONGEST]
    for span in reversed(_memory.find(text)):
        text = f"{text[: span.start]}[{span.kind}]{text[span.end :]}"
    return text + CUT if cut else text


def warm_up() -> None:
    """Loads what is loaded at the first name, which on a busy machine takes longer than a visitor waits."""
    find("Is Emma Jones in on Tuesday?")


def find(text: str) -> list[Span]:
    """Where personal data stands in the text, from left to right, without overlaps."""
    shadow = visible(text)
    found = find_forms(shadow)
    # Names are looked for last and around what was found, which would only mislead.
    for span in found:
        shadow = shadow[: span.start] + "0" * (span.end - span.start) + shadow[span.end :]
    found += [name for name in find_names(shadow) if not any(name.touches(other) for other in found)]
    return sorted(found, key=lambda span: span.start)


_memory = Memory(find)
