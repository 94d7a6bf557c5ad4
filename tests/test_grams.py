"""The exact wording as hashed features."""

from __future__ import annotations

import zlib

import numpy as np

from bot.grams import counts, grams, inverse_frequency, vector

BUCKETS = 512


def test_words_pairs_and_pieces() -> None:
    found = list(grams("Hurt it?"))
    assert {"hurt", "it", "?", "hurt it", "it ?", "#<hu", "#urt>", "#<it>"} <= set(found)


def test_capitals_make_no_difference() -> None:
    assert counts("does it hurt", BUCKETS) == counts("Does it HURT", BUCKETS)
    assert all(0 <= bucket < BUCKETS for bucket in counts("does it hurt", BUCKETS))


def test_each_gram_counts() -> None:
    text = "does it hurt, does it sting?"
    places = {zlib.crc32(gram.encode()) % BUCKETS for gram in grams(text)}
    assert set(counts(text, BUCKETS)) == places


def test_rare_words_tell_more() -> None:
    documents = [counts(text, BUCKETS) for text in ("milia size", "milia pain", "milia cost")]
    idf = inverse_frequency(documents, BUCKETS)
    (common,), (rare,) = (list(counts(word, BUCKETS))[:1] for word in ("milia", "cost"))
    assert idf[rare] >= idf[common]


def test_a_vector_has_unit_length_and_nothing_is_nothing() -> None:
    idf = np.ones(BUCKETS, np.float32)
    _, values = vector(counts("does it hurt", BUCKETS), idf)
    assert np.isclose(np.linalg.norm(values), 1)
    places, values = vector(counts("", BUCKETS), idf)
    assert len(places) == len(values) == 0
