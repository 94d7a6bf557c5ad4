"""Words, pairs and pieces of words as hashed features: the exact wording, which an encoder smooths over."""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[a-z0-9']+|\?")
_PIECES = (3, 4, 5)


def grams(text: str) -> Iterator[str]:
    """Each word, each pair of neighbours, and the pieces of 3 to 5 letters of each word, ends marked."""
    tokens = _TOKEN.findall(text.lower())
    yield from tokens
    for left, right in itertools.pairwise(tokens):
        yield f"{left} {right}"
    for token in tokens:
        marked = f"<{token}>"
        for size in _PIECES:
            for start in range(len(marked) - size + 1):
                yield "#" + marked[start : start + size]


def counts(text: str, buckets: int) -> dict[int, float]:
    """Bucket -> 1 + log(count) of the grams of a text."""
    tokens = _TOKEN.findall(text.lower())
    found = Counter([number % buckets for token in tokens for number in _numbers(token)])
    found.update([_number(f"{left} {right}") % buckets for left, right in itertools.pairwise(tokens)])
    return {bucket: 1.0 + math.log(count) if count > 1 else 1.0 for bucket, count in found.items()}


@lru_cache(maxsize=16_384)
def _numbers(token: str) -> tuple[int, ...]:
    """The numbers of a word and of its pieces: most words of a message have been seen before."""
    return tuple(_number(gram) for gram in grams(token))


def _number(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "replace"))


def inverse_frequency(documents: Sequence[dict[int, float]], buckets: int) -> NDArray[np.float32]:
    """How telling each bucket is, shape [buckets]: rare ones are."""
    seen = np.zeros(buckets)
    for document in documents:
        seen[list(document)] += 1
    weights: NDArray[np.float32] = (np.log((1 + len(documents)) / (1 + seen)) + 1).astype(np.float32)
    return weights


def vector(
    document: dict[int, float], idf: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The buckets of a text and their values, scaled to unit length."""
    places = np.fromiter(document, np.int64, len(document))
    values = np.fromiter(document.values(), np.float32, len(document)) * idf[places]
    length = np.linalg.norm(values)
    return places, values / length if length else values
