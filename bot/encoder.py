"""The sentence encoder: turns what somebody typed into a unit vector, so that close meanings lie close together."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 384
MAX_TOKENS = 128
BATCH = 32

INT8_GRAPH = "encoder.int8.onnx"
FLOAT_GRAPH = "encoder.fp32.onnx"
TOKENIZER = "tokenizer.json"
MANIFEST = "manifest.json"

Vectors = NDArray[np.float32]


class EncoderError(RuntimeError):
    """The encoder's files are missing or not the ones that were built; the message says what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}. Run `make setup`: it installs the weights and builds the encoder again.")


def encoder_path() -> Path:
    """The folder that `make setup` builds the encoder into."""
    return Path(__file__).resolve().parent.parent / "build" / "encoder"


def sha256(path: Path) -> str:
    """A file's digest, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class SentenceEncoder:
    """Encodes texts, remembering the latest ones; one object may serve many threads.

    `cache_size` is the number of texts remembered (1.5 kB each). `threads` is how many batches of a long list are
    encoded at once; one text always runs on the caller's thread alone. Raises EncoderError when the files in
    `directory` are not the ones the build wrote.
    """

    def __init__(
        self, directory: Path | None = None, *, graph: str = INT8_GRAPH, cache_size: int = 4096, threads: int = 1
    ) -> None:
        directory = directory or encoder_path()
        _check_files(directory, (graph, TOKENIZER))
        self._session = _open_session(directory / graph)
        self._tokenizer = _open_tokenizer(directory / TOKENIZER)
        self._threads = threads
        self._cache_size = cache_size
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, one a row; a text over 128 tokens counts with its first 128."""
        known = self._recall(texts)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, self._compute(new)))
            self._remember(known)
        if not texts:
            return np.empty((0, DIMENSIONS), np.float32)
        return np.stack([known[text] for text in texts])

    def _recall(self, texts: Sequence[str]) -> dict[str, Vectors]:
        with self._lock:
            known = {text: self._cache[text] for text in texts if text in self._cache}
            for text in known:
                self._cache.move_to_end(text)
        return known

    def _remember(self, known: dict[str, Vectors]) -> None:
        with self._lock:
            for text, vector in known.items():
                self._cache[text] = vector
                self._cache.move_to_end(text)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)

    def _compute(self, texts: Sequence[str]) -> Vectors:
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        # Texts of a like length share a batch, so little work goes into padding.
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        vectors = np.empty((len(tokens), DIMENSIONS), np.float32)

        def run(batch: list[int]) -> None:
            vectors[batch] = self._run([tokens[i] for i in batch])

        if self._threads == 1 or len(batches) == 1:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, batches))
        return vectors

    def _run(self, tokens: list[list[int]]) -> Vectors:
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int32)
        mask = np.zeros_like(ids)
        for row, line in enumerate(tokens):
            ids[row, : len(line)] = line
            mask[row, : len(line)] = 1
        result: Vectors = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return result


_shared: dict[Path, SentenceEncoder] = {}
_shared_lock = threading.Lock()


def shared(directory: Path | None = None, *, cache_size: int = 4096, threads: int = 1) -> SentenceEncoder:
    """The process's one encoder of a directory: Rasa loads a model again at each switch, the encoder stays.

    The first call decides `cache_size` and `threads`.
    """
    directory = (directory or encoder_path()).resolve()
    with _shared_lock:
        if directory not in _shared:
            _shared[directory] = SentenceEncoder(directory, cache_size=cache_size, threads=threads)
        return _shared[directory]


def _check_files(directory: Path, names: Sequence[str]) -> None:
    try:
        files = json.loads((directory / MANIFEST).read_text())["files"]
        for name in names:
            if sha256(directory / name) != files[name]:
                raise EncoderError(f"The encoder's file {name} is damaged")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"The sentence encoder is not built in {directory}") from error


def _open_session(graph: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _open_tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()  # its file pads every text to 128 tokens
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
