"""Reads a name, a phone number and a time out of what somebody typed when asked for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

import phonenumbers

from bot.scrub.names import may_be_name

DEFAULT_REGION = "AU"
MOST_CHARACTERS = 200  # of a time in a person's own words

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
    rf"\b(?:(?:not|any ?time but|but not|except)\s+)?"
    rf"(?:(?:on|this|next|early|late|mid|the|in the|every|any)\s+)*"
    rf"(?:(?:{_DAY}|{_PART})|(?:after|before|at|from|until|till|around|about|between|by)\s+(?:{_PART}|{_HOUR}|work|school)"
    rf"|{_HOUR}(?<=m)\b)"
    rf"(?:\s*,?\s*(?:and|or|to|except|but not|not|-|–)?\s*"
    rf"(?:(?:on|in the|the|at|after|before|from|until|till|around|about|between|by|next)\s+)*"
    rf"(?:{_DAY}|{_PART}|{_HOUR}|work|school)\b)*",
    re.IGNORECASE,
)
_NAME = r"(?P<name>[^\W\d_][\w'’-]*(?:\s+[^\W\d_][\w'’-]*){0,2})"
# Whatever follows is a name, if it can be one.
_NAMED = re.compile(
    rf"\b(?:my name(?:'?s| is)|name(?:'?s| is)?:?|under the name(?: of)?|ask for|i'?m called)"
    rf"\s+{_NAME}",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(r"^\W*(?:hi\W+)?(?:it'?s|i'?m|i am|this is|my name)\b", re.IGNORECASE)
# What follows is a name if it looks like one: "it's Rob", but not "it's sore".
_INTRODUCED = re.compile(
    rf"(?:^|[,.;!-])\s*(?:(?:ok(?:ay)?|yes|yep|sure|hi|hello|hey|no|sorry|actually)\b[,.! ]*)*"
    rf"(?:it'?s|its|i'?m|i am|call me|for)\s+{_NAME}|\b(?:under|this is)\s+{_NAME.replace('name', 'late')}",
    re.IGNORECASE,
)
_NOT_IN_NAMES = frozenset(
    "anonymous appointment argh back be best book but call cancel change correct cost day details do does "
    "don't eyelid get  hmm how i i'd i'll i'm idk im important it it's make milia move name need never next "
    "nobody none oops parking phone  prefer preferred price private question questions quickly reception "
    "removal secret skin something sounds stop  stuff suits thing things time treatment ugh urgent want "
    "week weekday weekend whatever what's which who whoever".split()
)
_CLINIC_PEOPLE = frozenset({"sarah", "wilkinson"})  # never scrubbed, but a visitor may have their names
_FILLER = re.compile(
    r"\b(?:my (?:number|mobile|phone|name|cell)(?: is|'?s)?|(?:phone|mobile|number|ph|mob|name|time)\b:?"
    r"|please|thanks|thank you|call me|ring me|on|is|yes|yep|yeah|ok|okay|sure|no|actually|sorry"
    r"|it'?s|its|i'?m|here|and|hi|hello|hey|cheers"
    r"|this|best|good|would be|would|be|are|for me|work|works|suits?|ta)\b",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?<=\w)\s+from\s.*$", re.IGNORECASE)  # "Anna from Perth"
_DIGITS = re.compile(r"\+?\d(?:[\s().\-]*\d){5,}")
_ASKS = re.compile(
    r"^\W*(?:(?:and|but|also|so|ok(?:ay)?|wait|actually|sorry|hi|hello)\W+)*"
    r"(?:what|how|why|when|where|who|which|can|could|do|does|did|is|are|am|will|would|should|have|has)(?:'?s)?\s+\w",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Details:
    """What a message says of a person.

    introduces: whether it says that the name is one ("it's Rob"), which otherwise stands beside a number.
    phone: E.164. bad_phone: digits that look like a number but aren't. rest: what else the message says.
    """

    name: str | None = None
    introduces: bool = False
    phone: str | None = None
    when: str | None = None
    bad_phone: bool = False
    rest: str = ""

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
    introduced = _introduced(rest)
    name = introduced or (_beside(rest) if phone else None)
    for word in (name or "").split():
        rest = re.sub(rf"\b{re.escape(word)}\b", " ", rest, flags=re.IGNORECASE)
    return Details(
        name=name,
        introduces=bool(introduced),
        phone=phone,
        when=when.group(0).strip(" ,") if when else None,
        bad_phone=bad,
        rest=" ".join(re.findall(r"[^\W_][\w'’-]*", _FILLER.sub(" ", rest))),
    )


def as_name(text: str) -> str | None:
    """A message that is nothing but a name, such as "jane doe"; None when it can't be one."""
    stripped = _FILLER.sub(" ", _FROM.sub("", text)) if len(text.split()) > 1 else text
    words = stripped.strip(" .,!").split()
    if not 1 <= len(words) <= 4 or "?" in text or not all(_is_name_word(word, True) for word in words):
        return None
    return _titled(words)


def as_time(text: str) -> str | None:
    """When to call, in a person's own words; None for a message that says nothing of it."""
    details = read_details(text)
    if details.phone or details.bad_phone or not details.rest:
        return details.when
    return text.strip()[:MOST_CHARACTERS]


def is_surely_name(text: str) -> bool:
    """Whether a message is a name even though its words mean something else, too: "Will Smith"."""
    words = (as_name(text) or "").split()
    if not words:
        return False
    known = any(word.lower() in _CLINIC_PEOPLE or may_be_name(word.lower(), False) for word in words)
    in_capitals = len(words) > 1 and all(word[0].isupper() for word in text.split())
    return known or in_capitals or bool(_INTRODUCES.match(text))


def asks(text: str) -> bool:
    """Whether a message has the form of a question."""
    return "?" in text or bool(_ASKS.match(text))


def _introduced(rest: str) -> str | None:
    for pattern, sure in ((_NAMED, True), (_INTRODUCED, False)):
        for match in pattern.finditer(rest):
            words = _leading_name_words(_caught(match), sure)
            if words:
                return _titled(words)
    return None


def _beside(rest: str) -> str | None:
    """What stands alone between a number, a time and commas."""
    parts = [as_name(part) for part in re.split(r"[,;:\n]|\s[-–]\s", _FILLER.sub(" ", rest))]
    return next((part for part in parts if part), None)


def _leading_name_words(text: str, sure: bool) -> list[str]:
    return list(takewhile(lambda word: _is_name_word(word, sure), text.split()))


def _caught(match: re.Match[str]) -> str:
    return next(text for text in match.groupdict().values() if text)


def _is_name_word(word: str, sure: bool) -> bool:
    plain = word.strip(".,").lower()
    if plain in _NOT_IN_NAMES or not re.fullmatch(r"[^\W\d_][\w'’.-]*", word):
        return False
    return plain in _CLINIC_PEOPLE or may_be_name(word.strip(".,"), sure)


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
