"""Near words are those that a full comparison finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from bot.near_words import NearWords

WORDS = st.text("abcd", min_size=1, max_size=7)


@given(st.sets(WORDS, max_size=40), WORDS, st.integers(0, 2))
def test_all_of_them_and_no_others(vocabulary: set[str], word: str, slips: int) -> None:
    found = dict(NearWords(vocabulary).within(word, slips))
    assert found == {
        near: OSA.distance(near, word) for near in vocabulary if OSA.distance(near, word) <= slips
    }


def test_each_kind_of_slip_is_one() -> None:
    words = NearWords(["squeeze"])
    for typed in ("sqeeze", "squeezze", "squeeae", "sqeueze"):
        assert list(words.within(typed, 1)) == [("squeeze", 1)]
