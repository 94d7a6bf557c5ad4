"""Personal data that is known by its form: numbers, email and street addresses, dates.

Every pattern repeats only a bounded number of times, and no repeated part can match the same text in two
ways, so that hostile text costs no more than other text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from re import Match, Pattern
from typing import NamedTuple

from bot.scrub.span import Span

_FLAGS = re.IGNORECASE

# ------------------------------------------------------------ numbers

_GAP = r"[\s.\-_/,·•()\[\]]{0,3}"
_START = r"(?<![\d$£€])(?<!\d[.,])"
_END = r"(?!\d)(?!\s?%)"


def _digits(count: int, digit: str = r"\d") -> str:
    return rf"(?:{_GAP}{digit}){{{count}}}"


_COUNTRY = rf"\(?(?:\+{_GAP}|(?<!\d)0{_GAP}0{_GAP}11{_GAP}|(?<!\d)0{_GAP}0{_GAP})?6{_GAP}1"
_MOBILE = re.compile(
    rf"{_START}(?:{_COUNTRY}{_GAP}(?:\(?0\)?)?{_GAP}[4]|\(?[0o]{_GAP}4){_digits(8, '[0-9o]')}{_END}", _FLAGS
)
_LANDLINE = re.compile(
    rf"{_START}(?:{_COUNTRY}{_GAP}(?:\(?0\)?)?{_GAP}[2378]|\(?[0o]{_GAP}[2378]){_digits(8, '[0-9o]')}{_END}",
    _FLAGS,
)
_SERVICE = re.compile(rf"{_START}(?:{_COUNTRY}{_GAP})?1{_GAP}[38]{_GAP}0{_GAP}0{_digits(6)}{_END}")
_SHORT_SERVICE = re.compile(r"(?<![\d$.,/\-])13[ \-.]\d\d[ \-.]\d\d(?![\d%])(?![ .\-/]\d)")
_ABROAD = re.compile(rf"(?<!\d)\+{_GAP}[1-9]{_digits(7)}(?:{_GAP}\d){{0,7}}{_END}")
_ABROAD_00 = re.compile(rf"{_START}00(?:11)?{_GAP}[1-9]{_digits(8)}(?:{_GAP}\d){{0,6}}{_END}")
_LOCAL = re.compile(r"(?<![\d$.,/\-+])(?<!\d[ ])[2-9]\d{3}[ \-.]\d{4}(?![\d%])(?![ .\-/]\d)")
_WITHOUT_ZERO = re.compile(r"(?<![\d$.,/\-+])4\d\d[ \-.]?\d{3}[ \-.]?\d{3}(?![\d%])(?![ .\-/]\d)")
_CUED = re.compile(
    r"\b(?:ph(?:one)?|mob(?:ile)?|cell|tel(?:ephone)?|call|text|txt|sms|ring|whatsapp|num(?:ber)?|no\.?|contact)\b"
    rf"[^\d\n]{{0,25}}(\(?\d{_digits(5)}(?:{_GAP}\d){{0,9}}){_END}",
    _FLAGS,
)
_WORD_DIGIT = r"(?:zero|oh|o|nought|one|two|three|four|five|six|seven|eight|nine|double|triple|\d)"
_SPELLED = re.compile(rf"\b{_WORD_DIGIT}(?:[\s,\-]{{1,3}}{_WORD_DIGIT}){{7,17}}\b", _FLAGS)
_CARD = re.compile(rf"{_START}[2-6]{_digits(12)}(?:{_GAP}\d){{0,6}}{_END}")
_MEDICARE = re.compile(rf"{_START}[2-6]{_digits(9)}(?:{_GAP}\d)?{_END}")
_MEDICARE_CUED = re.compile(rf"\bmedicare\b[^\d\n]{{0,25}}(\d{_digits(8)}(?:{_GAP}\d){{0,2}}){_END}", _FLAGS)

OWN_PHONE = "1300455792"  # the clinic's own, as in clinic.yml: it says nothing about a person


def _only_digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _is_own(text: str) -> bool:
    return _only_digits(text).endswith(OWN_PHONE)


def _not_own(match: Match[str]) -> bool:
    return not _is_own(match.group())


def _looks_local(match: Match[str]) -> bool:
    """Eight digits in two groups of which the first is no year ("2019-2023", "order 2026-1187")."""
    return not 2000 <= int(match.group()[:4]) <= 2099


def _is_cued(match: Match[str]) -> bool:
    before = match.string[max(0, match.start() - 20) : match.end()]
    return not _is_own(match.group()) and not re.search(
        r"\b(?:order|invoice|ref(?:erence)?|batch|abn)\b", before, _FLAGS
    )


def _is_spelled_phone(match: Match[str]) -> bool:
    words = re.findall(r"[a-z]+", match.group().lower())
    return len(words) >= 4 and len(set(words)) > 2


def _is_card(match: Match[str]) -> bool:
    digits = _only_digits(match.group())
    if re.fullmatch(r"\d{4}([ \-.])\d{4}\1\d{4}\1\d{4}", match.group()):
        return True  # written as a card is, a digit mistyped or not
    return len(digits) <= 19 and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_medicare(match: Match[str]) -> bool:
    """Its ninth digit checks the first eight; or it is grouped as on the card."""
    digits = [int(digit) for digit in _only_digits(match.group())]
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    if sum(w * d for w, d in zip(weights, digits, strict=False)) % 10 == digits[8]:
        return True
    return re.fullmatch(r"\d{4} \d{5} \d(?:[ /\-]?\d)?", match.group()) is not None


# ------------------------------------------------------------ email

_MAILBOX = r"(?<![\w.+%'\-])[\w][\w.+%'\-]{0,63}"
_EMAIL = re.compile(
    rf"{_MAILBOX}\s?@\s?[\w\-]{{1,63}}(?:(?:\s?\.\s?|,(?=com|net|org|au))[\w\-]{{2,63}}){{1,4}}", _FLAGS
)
_AT = r"\s?(?:@|\(at\)|\[at\]|\{at\}|\s+at\s+)\s?"
_DOT = r"\s?(?:\.|\(dot\)|\[dot\]|\{dot\}|\s+d[o0]t\s+)\s?"
_TOP = r"(?:com|net|org|edu|gov|io|co|me|info|biz|au|nz|uk|us|ca|in|cn|id|de|fr)"
_EMAIL_WORDS = re.compile(
    rf"{_MAILBOX}(?:{_DOT}[\w\-]{{1,30}}){{0,2}}(?:\s?underscore\s?[\w\-]{{1,30}})?{_AT}"
    rf"[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,30}}){{0,2}}{_DOT}{_TOP}(?:{_DOT}{_TOP})?\b",
    _FLAGS,
)
_EMAIL_PROVIDER = re.compile(
    rf"{_MAILBOX}(?:\s?@\s?(?:gmail|hotmail|outlook|yahoo|icloud|bigpond|live|optusnet|protonmail|me)"
    r"|\s+at\s+(?:gmail|hotmail|bigpond|icloud|optusnet|protonmail)(?=\s?(?:$|[.,;!?\n]|thanks|thx|pls|please|and\b|or\b)))\b",
    _FLAGS,
)

# ------------------------------------------------------------ dates of birth

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d|'?\d\d)"
_SLASHED = r"\d{1,2}\s?[/.\-\\]\s?\d{1,2}\s?[/.\-\\]\s?"
_DATES = "|".join(
    (
        rf"{_SLASHED}{_YEAR}",
        rf"{_DAY}\s?(?:of\s)?[\s\-/.]?{_MONTH}[\s,.\-/]{{1,3}}{_YEAR.replace('year', 'year2')}",
        rf"{_MONTH}[\s.\-/]{{1,2}}{_DAY}[\s,.\-/]{{1,3}}{_YEAR.replace('year', 'year3')}",
        r"(?P<year4>(?:19|20)\d\d)\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?\d{1,2}",
    )
)
_DATE = re.compile(rf"(?<![\d$/.\-])(?:{_DATES})(?![\d/%])(?![.\-]\d)", _FLAGS)
_BIRTH = re.compile(
    r"\b(?:d\.?\s?o\.?\s?b\.?|born|birth\s?-?(?:day|date)?|bday|b-day|date of birth)\b[^\d\n]{0,25}$", _FLAGS
)
_BIRTH_PLAIN = re.compile(
    r"\b(?:d\.?\s?o\.?\s?b\.?|born(?: on)?(?: the)?|birth\s?-?(?:day|date)|bday|date of birth)\b"
    r"\W{0,3}(?:is|was|:)?\s{0,2}(?:the\s)?"
    rf"((?:\d{{6}}|\d{{8}}|{_DAY}\s?(?:of\s)?{_MONTH}|{_MONTH}\s{_DAY})(?!\d))",
    _FLAGS,
)
_LAST_BIRTH_YEAR = 2019  # a later full date without the word "born" is an appointment or a product's


def _is_birth(match: Match[str]) -> bool:
    """Somebody's day of birth: it says so, or the year is that of a person and not of an appointment."""
    if _BIRTH.search(match.string, max(0, match.start() - 45), match.start()):
        return True
    year = next(value for value in match.groupdict().values() if value).lstrip("'")
    if len(year) == 2:
        return 30 <= int(year) <= 99
    return 1910 <= int(year) <= _LAST_BIRTH_YEAR


# ------------------------------------------------------------ street addresses

_CERTAIN = (
    r"street|st|road|rd|avenue|ave|av|crescent|cres|highway|hwy|terrace|tce|boulevard|blvd"
    r"|parade|pde|esplanade|laneway|lane|circuit|cct|court|ct"
)
_DOUBTFUL = r"drive|dr|place|pl|close|cl|way|grove|gr|square|sq|rise|view|walk|loop|quay|mews|row|ln"
_NOT_STREET = re.compile(
    r"\b(?:min(?:ute)?s?|h(?:ou)?rs?|days?|weeks?|wks?|months?|years?|yrs?|am|pm|mm|cm|km|kms|m|k|of|on|in|to|my|the|at|or|and|a|an"
    r"|is|are|bumps?|spots?|dots?|milia|times?|x|percent|off|away|near|from|people|kids|small|little|tiny|white|hard|big|per)\b",
    _FLAGS,
)
_STREET = re.compile(
    r"(?<![\d$.,/+])(?:(?:unit|apt|apartment|flat|level|lvl|shop|suite|lot|u|no\.?)\s?\d{1,5}[a-z]?[\s,/]{1,3})?"
    r"\d{1,5}[a-z]?(?:\s?[/\-]\s?\d{1,5}[a-z]?)?,?[ ](?P<street>(?:[a-z][a-z'\-]{0,20}\.?[ ]){1,3})"
    rf"(?P<kind>{_CERTAIN}|{_DOUBTFUL})\b\.?(?P<after>(?:[\s,]{{1,3}}[a-z][a-z'\-]{{1,20}}){{0,3}}[\s,]{{1,3}}"
    r"(?:(?:qld|nsw|vic|tas|act|wa|sa|nt|queensland|victoria|new south wales|tasmania)\b"
    r"[\s,]{0,3}(?:\d{4}\b)?|\d{4}\b(?![\s.\-]?\d)))?",
    _FLAGS,
)
_BOX = re.compile(r"\b(?:p\.?\s?o\.?\s?box|gpo box|locked bag)\s?\d{1,6}\b", _FLAGS)
_ADDRESS_CUE = re.compile(
    r"\b(?:live|lives|living|address|addy|at|@|post(?:ed)? to|send|ship|deliver(?:ed|y)?"
    r"|come to|home|house|we're|i'm)\b[^\d\n]{0,25}$",
    _FLAGS,
)


def _is_address(match: Match[str]) -> bool:
    street = match["street"]
    if _NOT_STREET.search(street):
        return False
    if match["after"] or street[:1].isupper():
        return True
    cued = _ADDRESS_CUE.search(match.string, max(0, match.start() - 45), match.start())
    return bool(cued) or re.fullmatch(_CERTAIN, match["kind"], _FLAGS) is not None


# ------------------------------------------------------------ all of them, the surest first

_Test = Callable[[Match[str]], bool]
_DIGIT = re.compile(r"\d")
_SIGN_OF_EMAIL = re.compile(r"@|\bat\b", _FLAGS)
_ANYTHING = re.compile("")


class _Form(NamedTuple):
    """A kind of data, how it is written, and whether a match is meant.

    sign: stands in every text in which there is such data, and is quicker to look for.
    """

    kind: str
    pattern: Pattern[str]
    is_meant: _Test | None = None
    sign: Pattern[str] = _DIGIT


_FORMS = (
    _Form("email", _EMAIL, sign=_SIGN_OF_EMAIL),
    _Form("email", _EMAIL_WORDS, sign=_SIGN_OF_EMAIL),
    _Form("email", _EMAIL_PROVIDER, sign=_SIGN_OF_EMAIL),
    _Form("medicare", _MEDICARE_CUED),
    _Form("card", _CARD, _is_card),
    _Form("phone", _MOBILE),
    _Form("phone", _LANDLINE),
    _Form("phone", _SERVICE, _not_own),
    _Form("phone", _ABROAD, _not_own),
    _Form("phone", _ABROAD_00, _not_own),
    _Form("dob", _DATE, _is_birth),
    _Form("dob", _BIRTH_PLAIN),
    _Form("medicare", _MEDICARE, _is_medicare),
    _Form("phone", _CUED, _is_cued),
    _Form("phone", _LOCAL, _looks_local),
    _Form("phone", _WITHOUT_ZERO),
    _Form("phone", _SHORT_SERVICE),
    _Form("phone", _SPELLED, _is_spelled_phone, sign=_ANYTHING),
    _Form("address", _BOX),
    _Form("address", _STREET, _is_address),
)
_SIGNS = (_DIGIT, _SIGN_OF_EMAIL, _ANYTHING)


def find_forms(text: str) -> list[Span]:
    """Everything but names, without overlaps."""
    found: list[Span] = []
    signs = {sign for sign in _SIGNS if sign.search(text)}
    numbers = _SERVICE.finditer(text) if _DIGIT in signs else ()
    own = [Span(*m.span(), "own") for m in numbers if _is_own(m.group())]
    for form in _FORMS:
        if form.sign not in signs:
            continue
        for start, end in _matches(form.pattern, form.is_meant, text):
            span = Span(start, end, form.kind)
            if not any(span.touches(other) for other in (*found, *own)):
                found.append(span)
    return found


def _matches(pattern: Pattern[str], is_meant: _Test | None, text: str) -> Iterator[tuple[int, int]]:
    """The places that match and are meant; a cue that stands before is not part of them."""
    position = 0
    while match := pattern.search(text, position):
        if is_meant is None or is_meant(match):
            start, end = match.span(1) if pattern in (_CUED, _MEDICARE_CUED, _BIRTH_PLAIN) else match.span()
            while start < end and text[end - 1] in " ,.-_/([·•":
                end -= 1
            while start < end and text[start] in " ,.-_/)]":
                start += 1
            yield start, end
            position = max(match.end(), position + 1)
        else:
            position = match.start() + 1
