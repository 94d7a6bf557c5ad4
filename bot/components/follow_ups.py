"""What a few words ask after an answer, where they name another topic themselves: "does it work on the
scrub?" after the discount code asks for its terms, not for the scrub."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 14
"""Words; what says more says what it is about."""

SAME = ""
"""The topic that was answered just now."""


@dataclass(frozen=True)
class FollowUp:
    """After one of these answers, a text like this asks for that topic."""

    after: frozenset[str]
    says: re.Pattern[str]
    asks: str


def _after(topics: str, says: str, asks: str) -> FollowUp:
    return FollowUp(frozenset(topics.split()), re.compile(says), asks)


_SO = (
    r"^(?:(?:ok|okay|right|so|and|but|oh|also|well)[ ,]*)*"
    r"(?:(?:what|how) about )?(?:my |the |wearing |using )?"
)
# What people wear, use or do: allowed or not before a visit, and after it.
_HABITS = (
    r"(?:make.?up|foundation|concealer|mascara|lashes|lash extensions|brows?|retinol|retinoids?|vitamin c"
    r"|acids?|sunscreen|moisturi[sz]er|tan|(?:fake|spray) tan|tanning|wax(?:ing)?|shav(?:e|ing)|botox"
    r"|fillers?|alcohol|coffee|gym|swimming|sauna|exercise|running|sport)"
)
_BODY = (
    r"(?:scalp|mouth|lips?|chin|jaw|forehead|ears?|neck|chest|boobs?|breasts?|back|arms?|hands?|legs?|body)"
)
_FOLLOW_UPS = (
    _after("ask_baby", rf"{_SO}(?:mine|me|own|own face|face|adults|grown.?ups)\b", "faq/removal"),
    _after(
        "ask_baby",
        r"^(?:and )?(?:s?he|they)(?:'?s| is| are|'?re) (?:only |just )?\d+ (?:day|week|month|year)",
        SAME,
    ),
    _after("ask_before_visit", rf"{_SO}{_HABITS}$", SAME),
    _after("faq/recovery faq/aftercare ask_scarring", rf"{_SO}{_HABITS}$", "faq/aftercare"),
    _after(
        "ask_discount ask_policy",
        r"\b(?:it|that|one)\b.*\b(?:works?|valid|expires?|run out|appl(?:y|ies)|count|cover|good for"
        r"|(?:for|on|with|towards) (?:the|a|any|my|all|every))\b"
        r"|\b(?:use|combine|stack|share|give|have) (?:it|that|one|mine)\b",
        "ask_policy",
    ),
    _after(
        "book_appointment",
        r"\b(?:fees?|charged?|penalty|costs?)\b.*\b(?:it|that|this|chang\w+|cancel\w*|mov\w+)\b",
        "ask_policy",
    ),
    _after(
        "ask_other_method",
        r"\bwhat (?:do|would|does) (?:you|u|yous|they|sarah|she) (?:do|use)\b",
        "faq/procedure",
    ),
    _after(
        "ask_price",
        r"\b(?:rough(?:ly)?|ballpark|estimate|per (?:spot|one|bump|visit|session)|each|starting from)\b",
        SAME,
    ),
    _after(
        "ask_medical",
        r"\b(?:after|before|once) (?:the|my|i have the|i've had the|i had the) (?:baby|birth)\b"
        r"|^is (?:it|that|this) (?:ok|okay|safe|bad|fine|normal|alright)$",
        SAME,
    ),
    _after("self_harm", r"^(?:i'm |i am |im )?(?:so )?sorry\b", SAME),
    _after(
        "faq/what_are_milia faq/identify faq/causes faq/size faq/location faq/harmful faq/not_acne",
        r"\bhow long\b.*\b(?:last|stay|hang)",
        "faq/go_away",
    ),
    _after("faq/location", rf"{_SO}(?:on (?:my |the )?)?{_BODY}$", SAME),
    _after(
        "faq/pain faq/recovery faq/aftercare ask_scarring ask_price",
        r"^even\b(?!.*\b(?:baby|toddler|kid|child|son|daughter)s?\b)",
        SAME,
    ),
)


def follow_up(text: str, topic: str | None) -> str | None:
    """The topic that a text asks about after an answer; None when it is no such follow-up.

    Args:
        text: corrected, in lower case.
        topic: what the visitor was last told about.
    """
    plain = text.strip(" ?!.")
    if topic is None or len(plain.split()) > LONGEST:
        return None
    for rule in _FOLLOW_UPS:
        if topic in rule.after and rule.says.search(plain):
            return rule.asks or topic
    return None
