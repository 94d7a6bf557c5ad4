"""The clinic's rules for every text (docs/wording.md), as checks that tests and the staff's editor share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 450
MAX_TITLE = 20

RULES = {
    1: "Only what the clinic has published",
    2: "No promises",
    3: "No testimonials",
    4: "No diagnosis",
    5: "Nothing to do at home, nothing on prescription",
    6: "The discount with its terms, without urgency",
    10: "Plain, Australian and short",
}
"""What the rules of docs/wording.md that a program can check are called, by number."""

_PROMISES = re.compile(
    r"\bguarante\w+|\bcures?\b|\bcured\b|\bpermanent(?:ly)? (?:gone|remov\w+|result\w*|solution)"
    r"|\brisk[- ]free\b|\bthe best\b|\b100 ?%|\bpainless\b|\bmiracle\b",
    re.IGNORECASE,
)
_URGENCY = re.compile(
    r"\blast chance\b|\bhurry\b|\bonly today\b|\bends soon\b|\bdon'?t miss\b|\blimited time\b", re.IGNORECASE
)
_TESTIMONIAL = re.compile(
    r"\bour (?:clients|customers|patients) (?:say|love)\b|\btestimonial\w*|\bbefore[- ]and[- ]after\b"
    r"|\b\d+ ?stars?\b",
    re.IGNORECASE,
)
_DIAGNOSIS = re.compile(
    r"\byou (?:definitely |certainly )?have milia\b|\bthat(?:'s| is) (?:definitely |certainly )milia\b"
    r"|\bit(?:'s| is) (?:definitely|certainly) milia\b",
    re.IGNORECASE,
)
_HOME_REMOVAL = re.compile(
    r"\b(?:use|take|sterilise|sterilize|heat) (?:a|the|your) (?:needle|pin|lancet|blade)\b|\bpress (?:it"
    r"|them) out yourself\b|\b(?:prick|lance|pop) (?:it|them) (?:yourself|at home)\b",
    re.IGNORECASE,
)
_PRESCRIPTION = re.compile(r"\b(?:tretinoin|roaccutane|isotretinoin|differin|retin-a|botox)\b", re.IGNORECASE)
_AMERICAN = re.compile(
    r"\b(?:color|moisturizer|moisturizing|specialize\w*|recognize\w*|center|pediatric\w*|apologize\w*"
    r"|organize\w*|specialt(?:y|ies) of ours)\b",
    re.IGNORECASE,
)
_PRICE = re.compile(r"(?:\$|AUD ?)\d", re.IGNORECASE)


@dataclass(frozen=True)
class Breach:
    """A rule that a text breaks. `blocks`: the text must not go live with it."""

    rule: int
    says: str
    blocks: bool = True

    @property
    def name(self) -> str:
        """What the rule is called."""
        return RULES[self.rule]


def breaches(
    text: str, titles: tuple[str, ...] = (), code: str = "miliagone", facts_published: bool = False
) -> list[Breach]:
    """Every rule that a text, with the titles of its buttons, breaks; in the order of docs/wording.md.

    Args:
        text: as visitors read it, facts filled in.
        code: the discount code, which is only given with its terms.
        facts_published: somebody of the clinic says that a price in it is published.
    """
    found = [Breach(rule, says, blocks) for pattern, rule, says, blocks in _PATTERNS if pattern.search(text)]
    if facts_published:
        found = [breach for breach in found if breach.rule != 1]
    for check in (_discount, _length, _titles):
        found += check(text, titles, code)
    return sorted(found, key=lambda breach: breach.rule)


_PATTERNS: tuple[tuple[re.Pattern[str], int, str, bool], ...] = (
    (_PRICE, 1, "No price, unless the clinic has published it.", True),
    (
        _PROMISES,
        2,
        "Leave out words such as guaranteed, cure, permanent, risk-free, best, painless.",
        True,
    ),
    (_TESTIMONIAL, 3, "No testimonials and no before/after claims.", True),
    (_DIAGNOSIS, 4, "No diagnosis: say that you can't tell from a description.", True),
    (_HOME_REMOVAL, 5, "No instructions for removing milia at home.", True),
    (_PRESCRIPTION, 5, "No prescription-only products.", True),
    (_URGENCY, 6, "No urgency about the discount.", True),
    (_AMERICAN, 10, "Australian spelling, for example moisturiser, colour, specialise.", False),
)


def _discount(text: str, titles: tuple[str, ...], code: str) -> Iterator[Breach]:
    if (
        code
        and code.lower() in text.lower()
        and not re.search(r"15 ?%.*first purchase", text, re.IGNORECASE | re.DOTALL)
    ):
        yield Breach(
            6, "The discount code is given with its terms in the same message: 15% off the first purchase."
        )


def _length(text: str, titles: tuple[str, ...], code: str) -> Iterator[Breach]:
    if len(text) > MAX_CHARACTERS:
        yield Breach(10, f"At most {MAX_CHARACTERS} characters fit on a phone; this has {len(text)}.")
    if not text.strip():
        yield Breach(10, "The text is empty.")


def _titles(text: str, titles: tuple[str, ...], code: str) -> Iterator[Breach]:
    if len(titles) > 3:
        yield Breach(10, "At most three next steps.")
    for title in titles:
        if len(title) > MAX_TITLE:
            yield Breach(
                10, f"Messenger shows {MAX_TITLE} characters of a button; “{title}” has {len(title)}."
            )


Check = Callable[[str, tuple[str, ...], str], Iterator[Breach]]
