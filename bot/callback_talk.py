"""What people say about a call-back that they asked for: to drop it, to change it, or the same again."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.details import Details, as_name, read_details

NAME, PHONE, WHEN = "callback_name", "callback_phone", "callback_when"

# "Don't call me before 9" is a time.
_AT_ALL = r"(?! (?:me |back )*(?:after|at|before|between|from|in|on|till|until)\b)"
_CANCEL = re.compile(
    r"^\W*(?:(?:please|no|ok|actually|sorry|oh|wait|(?:can|could) you|i(?:'d| would)? (?:want|like) to)\W+)*"
    r"(?:stop(?=\W*$| (?:it|this|that|please|the)\b)"
    r"|cancel(?: (?:it|this|that|the|my))?(?: call(?: ?back)?| request)?(?: please)?\W*$"
    r"|never ?mind|forget (?:it|that|about it)"
    rf"|(?:you )?(?:(?:don'?t|do not)(?: need to| have to)?|no need to) (?:call|ring|contact)\b{_AT_ALL}"
    rf"|no call(?: ?back)?\b{_AT_ALL}"
    r"|i don'?t want (?:a |the |you to |to be )*call|don'?t(?: (?:bother|worry)\b|\W*$)|leave it\b"
    r"|(?:i(?:'ve| have)? )?changed my mind)",
    re.IGNORECASE,
)
_OF_A_CALL = re.compile(r"\b(?:call|ring|phone)", re.IGNORECASE)
# What stands around a number or time when nothing but the call is meant: "actually can you make it monday".
_AROUND = frozenset(
    "a about actually again also available back better but call callback calling can change could "
    "different free from gave how i i'd i'll instead it just let's make me mean meant mine move my new "
    "not now number of only oops or perhaps phone please pls rather ring same somebody someone sorry "
    "still that the then this time to typo u us use wait was we wrong you your".split()
)


def calls_off(text: str) -> bool:
    """Whether a message drops what is being talked about: "never mind", "don't call me"."""
    return bool(_CANCEL.match(text))


def corrections(details: Details, before: Mapping[str, str | None]) -> dict[str, str]:
    """What a message says of a person that was not known before. A word beside a number is a name only as
    long as there is none: "ugh 0491 570 158"."""
    name = details.name if details.introduces or not before.get(NAME) else None
    when = None if _repeats(details, before.get(WHEN)) else details.when
    said = {NAME: name, PHONE: details.phone, WHEN: when}
    return {slot: value for slot, value in said.items() if value and value != before.get(slot)}


def _repeats(details: Details, when: str | None) -> bool:
    """Whether a message says a part of the time again: "after 3" of "any time after 3"."""
    return bool(when and details.when and not details.rest and details.when.lower() in when.lower())


def goes_on(text: str, intent: str, made: Mapping[str, str], fresh: bool) -> bool:
    """Whether a message is about the call-back that stands.

    Args:
        fresh: whether it was what was talked about last. If not, the message has to speak of a call; and
            asking for one is no repetition, because that call may have been made by then.
    """
    if not fresh and not _OF_A_CALL.search(text):
        return False
    if calls_off(text):
        return True
    details = read_details(text)
    tells = details.any or (as_name(text) or "").lower() == made[NAME].lower()
    nothing_else = set(details.rest.lower().split()) <= _AROUND | set(made[NAME].lower().split())
    return nothing_else and (tells or (fresh and intent == "request_callback"))
