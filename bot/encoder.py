"""The sentence encoder: turns what somebody typed into a unit vector; close meanings lie close together."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.settings import load_settings

DIMENSIONS = 384
FEATURES = 3 * DIMENSIONS
MAX_TOKENS = 128
MAX_CHARACTERS = 4096
CACHE_SIZE = 4096

ROOM = 160
"""Tokens of texts that are encoded at once, each counted as long as the longest of them: the weights, which
take half of the time of a short text, are fetched once for all. With 96 or 256 it takes a little longer."""

_PART = 256  # of thousands of texts, those that a thread takes at a time

INT8_GRAPH = "encoder.int8.onnx"
FLOAT_GRAPH = "encoder.fp32.onnx"
TOKENIZER = "tokenizer.json"
MANIFEST = "manifest.json"

ORIGIN = {
    "builder": 5,  # raise it when the build writes other graphs, so that old ones are refused and built again
    "weights": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "texts": "2c0d91e66c22be117e9c1a991906677f0a3dfa88be1dccaab322379692f94cc8",  # bot/encoder_texts.txt
}
"""What the encoder is built from; the manifest repeats it beside the digests of the files that came out."""

Vectors = NDArray[np.float32]


class EncoderError(RuntimeError):
    """The encoder's files are missing or not the ones that were built; the message says what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}. Run `make setup`, which installs the weights and builds the encoder.")


def encoder_path() -> Path:
    """The folder that `make setup` builds the encoder into."""
    return load_settings().build_dir / "encoder"


def sha256(path: Path) -> str:
    """A file's digest, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class SentenceEncoder:
    """Encodes texts and remembers the latest ones; one object may serve many threads.

    A text's vector depends on the text alone, whatever else is encoded with it
    (docs/decisions/0002-encoder.md).

    `cache_size` is the number of texts remembered, each 4.6 kB and its characters. Raises EncoderError when
    the files in `directory` are not the ones that the build wrote.
    """

    def __init__(
        self, directory: Path | None = None, *, graph: str = INT8_GRAPH, cache_size: int = CACHE_SIZE
    ) -> None:
        directory = directory or encoder_path()
        check_files(directory, graph, TOKENIZER)
        self._graph = directory / graph
        self._tokenizer = open_tokenizer(directory / TOKENIZER)
        self._cache_size = cache_size
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @cached_property
    def _run(self) -> Callable[[Sequence[Sequence[int]]], Vectors]:
        """Opened by the first text: where other processes understand messages it never comes."""
        return open_graph(self._graph)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, shape [n, 384]; of a long text the first 128 tokens count."""
        return self.features(texts)[:, :DIMENSIONS]

    def features(self, texts: Sequence[str]) -> Vectors:
        """What a classifier sees of the texts, shape [n, 1152]: the sentence vector, then those of two lower
        layers, each a unit vector, in the order of `bot.encoder_graph.POOLED_LAYERS`."""
        if not texts:
            return np.empty((0, FEATURES), np.float32)
        texts = [readable(text) for text in texts]
        known = self._recall(texts)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, self._compute(new), strict=True))
        self._remember(known)
        return np.stack([known[text] for text in texts])

    def _compute(self, texts: Sequence[str]) -> Vectors:
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        features = np.empty((len(texts), FEATURES), np.float32)
        for places in _together(tokens):
            features[places] = self._run([tokens[place] for place in places])
        return features

    def _recall(self, texts: Sequence[str]) -> dict[str, Vectors]:
        with self._lock:
            return {text: self._cache[text] for text in texts if text in self._cache}

    def _remember(self, known: dict[str, Vectors]) -> None:
        with self._lock:
            for text, vector in known.items():
                # A copy, as a row would keep those of all texts that it was encoded with.
                self._cache[text] = vector if vector.base is None else vector.copy()
                self._cache.move_to_end(text)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)


_shared: dict[Path, SentenceEncoder] = {}
_shared_lock = threading.Lock()


def shared(directory: Path | None = None, *, cache_size: int = CACHE_SIZE) -> SentenceEncoder:
    """The process's one encoder of a directory: Rasa loads a model at each switch, the encoder stays.

    The first call decides the `cache_size`.
    """
    directory = (directory or encoder_path()).resolve()
    with _shared_lock:
        if directory not in _shared:
            _shared[directory] = SentenceEncoder(directory, cache_size=cache_size)
        return _shared[directory]


def check_files(directory: Path, *names: str) -> None:
    """Raise EncoderError unless the build of today wrote the named files and they are as it left them."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        built = {name: manifest["files"][name] for name in names}
        if {key: manifest[key] for key in ORIGIN} != ORIGIN:
            raise EncoderError(f"The sentence encoder in {directory} was built by another version")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"The sentence encoder is not built in {directory}") from error
    for name, digest in built.items():
        path = directory / name
        if not path.is_file() or sha256(path) != digest:
            raise EncoderError(f"The sentence encoder's file {path} is missing or damaged")


def readable(text: str) -> str:
    """The text cut before it costs much, without the half surrogates that the tokenizer refuses."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def features_of_many(texts: Sequence[str], threads: int, directory: Path | None = None) -> Vectors:
    """The features of thousands of texts, shape [n, 1152], on so many threads; none are remembered.

    Raises EncoderError when the files in `directory` are not the ones that the build wrote.
    """
    if not texts:  # as at every training but the first: the graph needn't be read
        return np.empty((0, FEATURES), np.float32)
    encoder = SentenceEncoder(directory, cache_size=0)
    parts = [texts[start : start + _PART] for start in range(0, len(texts), _PART)]
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(encoder.features, parts)))


def _together(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The places of texts that are encoded at once: those of similar length, as many as there is room for."""
    some: list[int] = []
    longest = 0
    for place in sorted(range(len(tokens)), key=lambda place: len(tokens[place]), reverse=True):
        if some and (len(some) + 1) * longest > ROOM:
            yield some
            some = []
        if not some:
            longest = len(tokens[place])
        some.append(place)
    if some:
        yield some


def open_graph(path: Path) -> Callable[[Sequence[Sequence[int]]], Vectors]:
    """What computes the features of texts from their tokens, shape [n, 1152]; many may ask at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a short text is done before a second thread has woken up
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(several: Sequence[Sequence[int]]) -> Vectors:
        features: Vectors = session.run(None, graph_inputs(several))[0]
        return features

    return run


def graph_inputs(several: Sequence[Sequence[int]]) -> dict[str, NDArray[Any]]:
    """What the graphs of `bot.encoder_graph` are given of n texts of t tokens in all.

    tokens, places: [t], the texts' tokens one after the other and the place of each in its text.
    rows: [n, longest], where each text's tokens stand, -1 behind its end.
    back: [t], where they stand in that.
    shares: [n, t], what each counts for in each text's mean.
    """
    lengths = np.array([len(tokens) for tokens in several])
    ends = lengths.cumsum()
    longest = np.arange(lengths.max())
    is_token = longest < lengths[:, None]
    rows = np.where(is_token, longest + (ends - lengths)[:, None], -1)
    of_text, places = is_token.nonzero()
    return {
        "tokens": np.fromiter(chain.from_iterable(several), np.int64, ends[-1]),
        "places": places,
        "rows": rows,
        "back": is_token.ravel().nonzero()[0],
        "shares": ((np.arange(len(several))[:, None] == of_text) / lengths[:, None]).astype(np.float32),
    }


def open_tokenizer(path: Path) -> Any:
    """What splits a text into the numbers of its tokens, 128 at most."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()  # its file pads every text to 128 tokens
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
