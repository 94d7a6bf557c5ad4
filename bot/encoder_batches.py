"""Encodes thousands of texts at once: each gets the vector that it gets alone, in half the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from bot.encoder import (
    BATCH_GRAPH,
    FEATURES,
    TOKENIZER,
    Vectors,
    check_files,
    encoder_path,
    open_graph,
    open_tokenizer,
    readable,
)

_BATCH = 32
"""Texts of one call; raising it takes more memory and, from here on, no less time."""


def features_of_many(texts: Sequence[str], threads: int, directory: Path | None = None) -> Vectors:
    """The features of the texts, shape [n, 1152], as `SentenceEncoder.features` gives them.

    Raises EncoderError when the files in `directory` are not the ones that the build wrote.
    """
    if not texts:  # as at every training but the first: the graph needn't be read
        return np.empty((0, FEATURES), np.float32)
    directory = directory or encoder_path()
    check_files(directory, BATCH_GRAPH, TOKENIZER)
    run = open_graph(directory / BATCH_GRAPH)
    encodings = open_tokenizer(directory / TOKENIZER).encode_batch([readable(text) for text in texts])
    tokens = [encoding.ids for encoding in encodings]
    features = np.empty((len(texts), FEATURES), np.float32)

    def compute(batch: list[int]) -> None:
        features[batch] = run([tokens[place] for place in batch])

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(compute, _batches(tokens)):
            pass  # asks for the result, so that an error is raised here
    return features


def _batches(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The places of texts of equal length, the longest first so that no thread ends with them alone."""
    by_length: dict[int, list[int]] = {}
    for place, text in enumerate(tokens):
        by_length.setdefault(len(text), []).append(place)
    for _, places in sorted(by_length.items(), reverse=True):
        for start in range(0, len(places), _BATCH):
            yield places[start : start + _BATCH]
