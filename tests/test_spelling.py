"""Spelling of phones is mended, and what is right stays as it is."""

from __future__ import annotations

import pytest

from bot.spelling import SHORT_FORMS, SpellingCorrector, words_of

TEXTS = [
    "how are milia removed",
    "can i squeeze them",
    "does the removal hurt",
    "which moisturiser do you recommend",
    "is there an aesthetician",
    "what causes milia",
    "how much does the extraction cost",
    "book an appointment",
] * 4


@pytest.fixture(scope="module")
def corrector() -> SpellingCorrector:
    return SpellingCorrector.learn(TEXTS, known_words=20_000)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("what are millia", "what are milia"),
        ("can i sqeeze them", "can i squeeze them"),
        ("dose the remvoal hurt", "dose the removal hurt"),
        ("can u recieve it", "can you receive it"),
        ("whats the exraction", "what's the extraction"),
        ("wich moisteriser", "which moisturiser"),
        ("HOW MUCH", "how much"),
        ("asthetician", "aesthetician"),
    ],
)
def test_what_was_meant(corrector: SpellingCorrector, typed: str, meant: str) -> None:
    assert corrector.correct(typed) == meant


@pytest.mark.parametrize(
    "text",
    ["my skin is dry", "i don't know", "call 1300 455 792!", "", "👍", "the colour of my face", "xqzzkvw"],
)
def test_what_is_right_or_unknown_stays(corrector: SpellingCorrector, text: str) -> None:
    assert corrector.correct(text) == text


def test_what_it_learned_can_be_kept(corrector: SpellingCorrector) -> None:
    again = SpellingCorrector(corrector.likelihoods)
    assert again.correct("sqeeze my millia") == "squeeze my milia"


def test_very_long_words_cost_nothing(corrector: SpellingCorrector) -> None:
    assert corrector.correct("a" * 10_000) == "a" * 10_000


def test_words_are_counted() -> None:
    assert words_of(["It's milia, milia"]) == {"it's": 1, "milia": 2}


def test_short_forms_are_no_words_of_their_own() -> None:
    assert not [word for word, meant in SHORT_FORMS.items() if word == meant]
