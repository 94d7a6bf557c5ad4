"""Mends the spelling of what is typed on phones, so that the encoder sees the words that were meant.

A word is replaced by the one that was likeliest meant: near in letters and sound, and much commoner in
the training examples and in general English than what was typed. Common words are never touched.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from bot.near_words import NearWords

_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_MIN_LETTERS = 4
_EXAMPLES_WEIGHT = 1e-5  # each use of a word in the examples counts like this frequency in general English
_UNKNOWN = 1e-9  # frequency of a word that nobody has counted
_AS_TYPED = 4.5  # how much better (in nats) another word has to be than the one that was typed
_CANDIDATE = 1.5e-6  # rarer words are left alone, but are not what anybody is taken to have meant
# What people type on phones for words too short or too far off for edit distance.
SHORT_FORMS: Mapping[str, str] = {
    "u": "you", "ur": "your", "r": "are", "y": "why", "n": "and", "k": "ok", "thx": "thanks",
    "ty": "thank you", "pls": "please", "plz": "please", "cuz": "because", "coz": "because", "bc": "because",
    "b4": "before", "wat": "what", "wot": "what", "wht": "what", "wats": "what's", "whats": "what's",
    "wen": "when", "wer": "where", "wher": "where", "wil": "will", "teh": "the", "tha": "the", "thay": "they",
    "thm": "them", "cud": "could", "shud": "should", "wud": "would", "dis": "this", "dat": "that",
    "im": "i'm", "ive": "i've", "dont": "don't", "doesnt": "doesn't", "isnt": "isn't", "arent": "aren't",
    "arnt": "aren't", "cant": "can't", "wont": "won't", "didnt": "didn't", "hasnt": "hasn't",
    "theyre": "they're", "theyr": "they're", "youre": "you're", "thats": "that's", "hows": "how's",
    "whos": "who's", "wheres": "where's", "appt": "appointment", "appts": "appointments", "tmrw": "tomorrow",
    "2moro": "tomorrow", "tmr": "tomorrow", "pic": "picture", "pics": "pictures", "foto": "photo",
    "fotos": "photos", "doc": "doctor", "docs": "doctors", "info": "information", "fone": "phone",
    "num": "number", "msg": "message", "alot": "a lot", "abt": "about", "wiv": "with", "dem": "them",
    "hav": "have", "hv": "have", "gud": "good", "nite": "night", "thru": "through", "millia": "milia",
    "milla": "milia", "millias": "milia", "milias": "milia", "millium": "milium", "mila": "milia",
    "malia": "milia", "mylia": "milia", "milea": "milia", "millea": "milia", "sum1": "someone",
    "ne1": "anyone", "fase": "face", "sundees": "sundays", "avo": "arvo", "rn": "right now", "ya": "you",
    "yr": "your", "bout": "about", "gonna": "going to", "wanna": "want to", "gotta": "have to",
}  # fmt: skip


def words_of(texts: Iterable[str]) -> Counter[str]:
    """How often each lower-case word stands in some texts."""
    return Counter(word.lower() for text in texts for word in _WORD.findall(text))


class SpellingCorrector:
    """Corrects words by a vocabulary of `word -> likelihood`.

    Args:
        likelihoods: the words of general English and of this project's messages, with how likely each is.
    """

    def __init__(self, likelihoods: Mapping[str, float]) -> None:
        self.likelihoods = dict(likelihoods)
        self._candidates = NearWords(
            word
            for word, likelihood in likelihoods.items()
            if likelihood >= _CANDIDATE and len(word) >= _MIN_LETTERS - 1
        )
        self._corrected: dict[str, str] = {}

    @classmethod
    def learn(cls, texts: Iterable[str], known_words: int) -> SpellingCorrector:
        """A corrector for messages like these texts.

        Args:
            known_words: how many of the commonest words of general English it knows.
        """
        from wordfreq import get_frequency_dict

        commonest = itertools.islice(get_frequency_dict("en").items(), known_words)
        likelihoods = {word: chance for word, chance in commonest if word.isalpha() and word.isascii()}
        for word, count in words_of(texts).items():
            # A word that only one or two examples have may be a typo of theirs.
            if count >= 3 or likelihoods.get(word, 0.0) >= _CANDIDATE:
                likelihoods[word] = likelihoods.get(word, 0.0) + count * _EXAMPLES_WEIGHT
        likelihoods.update(milia=1e-2, milium=1e-3)
        return cls({word: likelihood for word, likelihood in likelihoods.items() if word not in SHORT_FORMS})

    def correct(self, text: str) -> str:
        """The text in lower case with its words mended."""
        return _WORD.sub(lambda match: self._word(match[0].lower()), text)

    def _word(self, word: str) -> str:
        if word in SHORT_FORMS:
            return SHORT_FORMS[word]
        common = self.likelihoods.get(word, 0.0) >= _CANDIDATE * 2
        if len(word) < _MIN_LETTERS or common or "'" in word or len(word) > 24:
            return word
        if word not in self._corrected:
            if len(self._corrected) > 20_000:
                self._corrected.clear()
            self._corrected[word] = self._nearest(word)
        return self._corrected[word]

    def _nearest(self, word: str) -> str:
        slips = 1 if len(word) < 5 else 2
        ranked = ((self._rank(word, *near), near[0]) for near in self._candidates.within(word, slips))
        rank, best = max(ranked, default=(-math.inf, word))
        typed = math.log(self.likelihoods.get(word, _UNKNOWN)) + _AS_TYPED
        if rank > typed:
            return best
        return word if word in self.likelihoods else self._apart(word)

    def _rank(self, word: str, candidate: str, distance: int) -> float:
        """How likely somebody meant `candidate` who typed `word`, in nats."""
        same_start = 1.5 if candidate[0] == word[0] else 0.0
        swapped = 2.0 if sorted(candidate) == sorted(word) else 0.0
        same_sound = 2.0 if _consonants(candidate) == _consonants(word) else 0.0
        return math.log(self.likelihoods[candidate]) - 4.0 * distance + same_start + swapped + same_sound

    def _apart(self, word: str) -> str:
        """Two words typed without a space, when both are common."""
        best, best_likelihood = word, 1e-8
        for place in range(2, len(word) - 1):
            left, right = word[:place], word[place:]
            likelihood = self.likelihoods.get(left, 0.0) * self.likelihoods.get(right, 0.0)
            if likelihood > best_likelihood:
                best, best_likelihood = f"{left} {right}", likelihood
        return best


def _consonants(word: str) -> str:
    """A word's rough sound: its consonants, doubles taken once."""
    return re.sub(
        r"(.)\1+",
        r"\1",
        re.sub(r"[aeiouyhw']", "", word.replace("ph", "f").replace("ck", "k").replace("c", "k")),
    )
