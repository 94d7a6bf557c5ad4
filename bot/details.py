"""Reads a name, a phone number and a time out of what somebody typed when asked for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

DEFAULT_REGION = "AU"

_DAY = (
    r"(?:mon|tues?|wed(?:nes)?|thurs?|thu|fri|sat(?:ur)?|sun)(?:day)?s?|today|tonight|tomorrow|tmrw|tomoz|weekdays?|weekends?"
    r"|next week|this week|week days"
)
_PART = (
    r"mornings?|arvos?|afternoons?|evenings?|nights?|lunch ?time|lunch|midday|noon|any ?time|whenever|asap"
    r"|now|soon"
)
_HOUR = r"\d{1,2}(?:[:.]\d{2})?\s?(?:am|pm|ish|o'?clock)?"
_WHEN = re.compile(
    rf"\b(?:(?:on|this|next|early|late|mid|the|in the|every|any)\s+)*"
    rf"(?:(?:{_DAY}|{_PART})|(?:after|before|at|from|until|till|around|about|between|by)\s+(?:{_PART}|{_HOUR}|work|school)"
    rf"|{_HOUR}(?<=m)\b)"
    rf"(?:\s*(?:,|and|or|to|-|–)?\s*(?:(?:on|in the|the|at|after|before|from|until|till|around|about|between"
    rf"|by|next)\s+)*"
    rf"(?:{_DAY}|{_PART}|{_HOUR}|work|school)\b)*",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:my name(?:'?s| is)|name(?:'?s| is)?:?|under(?: the name)?(?: of)?|ask for|this is|i'?m called"
    r"|call me)\s+"
    r"(?P<name>[^\W\d_][\w'’-]*(?:\s+[^\W\d_][\w'’-]*){0,2})",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"^(?:ok(?:ay)?|yes|yep|sure|hi|hello|hey)?[,.! ]*(?:it'?s|its|i'?m|i am"
    r"|for)\s+(?P<name>[^\W\d_][\w'’-]*(?:\s+[^\W\d_][\w'’-]*){0,2})",
    re.IGNORECASE,
)
_NOT_IN_NAMES = frozenset(
    "a about actually after afternoon and any anytime appointment are arvo asap at be before best book "
    "booking but by call can cancel change correct could day details do does don't dont evening fine for "
    "free friday from get good great hello help hey hi how i i'd i'll i'm im in is it it's its just like "
    "make maybe me milia mine monday morning move my name need never next no not now number of ok okay on "
    "or phone please preferred prefer ring saturday should skin soon sorry sounds stop suits sunday sure "
    "text thanks that the them then there these they this thursday time to today tomorrow tuesday until "
    "want was wednesday week weekend weekday what what's when where which who why will with work would "
    "yeah yep yes you your".split()
)
_FILLER = re.compile(
    r"\b(?:my (?:number|mobile|phone|name|cell)(?: is|'?s)?|(?:phone|mobile|number|ph|mob|name|time)\b:?"
    r"|please|thanks|thank you|"
    r"call me|ring me|on|is|yes|yep|yeah|ok|okay|sure|no|actually|sorry|it'?s|its|i'?m|here|and|hi|hello"
    r"|hey|cheers)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\+?\d(?:[\s().\-]*\d){5,}")


@dataclass(frozen=True)
class Details:
    """What a message says of a person. `phone` is E.164; `bad_phone`: digits that aren't a number."""

    name: str | None = None
    phone: str | None = None
    when: str | None = None
    bad_phone: bool = False

    @property
    def any(self) -> bool:
        """Whether the message says anything of them."""
        return bool(self.name or self.phone or self.when)


def read_details(text: str) -> Details:
    """Everything that a message such as "Rob, 0491 570 158, after 4" says."""
    text = text[:500]
    phone, span = _phone(text)
    bad = False
    if phone is None and (digits := _DIGITS.search(text)):
        bad, span = True, digits.span()
    rest = text[: span[0]] + " , " + text[span[1] :] if span else text
    when = _WHEN.search(rest)
    if when:
        rest = rest[: when.start()] + " , " + rest[when.end() :]
    return Details(
        name=_name(rest, alone=bool(phone)),
        phone=phone,
        when=when.group(0).strip(" ,") if when else None,
        bad_phone=bad,
    )


def as_name(text: str) -> str | None:
    """A message that is nothing but a name, such as "jane doe"; None when it can't be one."""
    stripped = _FILLER.sub(" ", text) if len(text.split()) > 1 else text
    words = stripped.strip(" .,!").split()
    if (
        not 1 <= len(words) <= 4
        or "?" in text
        or not all(re.fullmatch(r"[^\W\d_][\w'’.-]*", word) for word in words)
    ):
        return None
    if any(word.lower().strip(".") in _NOT_IN_NAMES for word in words):
        return None
    return _titled(words)


def _name(rest: str, alone: bool) -> str | None:
    for pattern in (_NAMED, _INTRODUCED):
        if match := pattern.search(rest):
            words = []
            for word in match["name"].split():
                if word.lower() in _NOT_IN_NAMES:
                    break
                words.append(word)
            if words:
                return _titled(words)
    if not alone:
        return None
    parts = [as_name(part) for part in re.split(r"[,;:\n]|\s[-–]\s", _FILLER.sub(" ", rest))]
    return next((part for part in parts if part), None)


def _titled(words: list[str]) -> str:
    return " ".join(word if word != word.lower() else word.capitalize() for word in words)


def _phone(text: str) -> tuple[str | None, tuple[int, int] | None]:
    for match in phonenumbers.PhoneNumberMatcher(text, DEFAULT_REGION, leniency=phonenumbers.Leniency.VALID):
        return phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164), (
            match.start,
            match.end,
        )
    digits = _DIGITS.search(text)
    if digits:
        try:
            number = phonenumbers.parse(digits.group(0), DEFAULT_REGION)
        except phonenumbers.NumberParseException:
            return None, None
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), digits.span()
    return None, None


def shown_phone(e164: str) -> str:
    """A number as people in its country write it."""
    number = phonenumbers.parse(e164, DEFAULT_REGION)
    national = number.country_code == phonenumbers.country_code_for_region(DEFAULT_REGION)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style)
