"""The graph that finds which of many examples may be the nearest to a text: all are compared in bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Search = Callable[[Floats], NDArray[np.int64]]

DIRECTIONS = 192
"""Directions, of 384, in which all examples are compared: those in which they differ most."""

CANDIDATES = 100
"""How many of them are found. Of the fifteen nearest of 19,000 examples, 99.7% are among them. Raising
either finds more and takes longer."""

_STEPS = 63
"""Steps of an example to each side of zero: with 127, sums would saturate on processors without VNNI."""
_QUERY_STEPS = 127
_QUERY_ZERO = 128


def search_graph(vectors: Floats) -> bytes:
    """The ONNX model that `open_search` opens, for examples [n, 384] of which there are more than candidates.

    A text's vector is turned into the directions, and into bytes on a scale of its own, so that what is found
    for it doesn't depend on what else is asked for. The examples share one scale: their sums compare as they
    are.
    """
    from onnx import TensorProto, helper, numpy_helper

    _, directions = np.linalg.eigh(vectors.T @ vectors)
    rotation = np.ascontiguousarray(directions[:, : -DIRECTIONS - 1 : -1])
    turned = vectors @ rotation
    examples = np.rint(turned * (_STEPS / np.abs(turned).max())).astype(np.int8)
    constants = {
        "rotation": rotation,
        "directions": np.array([1], np.int64),
        "query_steps": np.float32(_QUERY_STEPS),
        "zero": np.uint8(_QUERY_ZERO),
        "shift": np.float32(_QUERY_ZERO),
        "examples": np.ascontiguousarray(examples.T),
        "candidates": np.array([CANDIDATES], np.int64),
    }
    steps: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
        ("MatMul", ["vectors", "rotation"], ["turned"], {}),
        ("Abs", ["turned"], ["sizes"], {}),
        ("ReduceMax", ["sizes", "directions"], ["largest"], {"keepdims": 1}),
        ("Div", ["turned", "largest"], ["shares"], {}),
        ("Mul", ["shares", "query_steps"], ["scaled"], {}),
        ("Add", ["scaled", "shift"], ["shifted"], {}),
        ("Round", ["shifted"], ["whole"], {}),
        ("Cast", ["whole"], ["bytes"], {"to": TensorProto.UINT8}),
        ("MatMulInteger", ["bytes", "examples", "zero"], ["products"], {}),
        ("TopK", ["products", "candidates"], ["highest", "places"], {"sorted": 0}),
    ]
    width = vectors.shape[1]
    graph = helper.make_graph(
        [helper.make_node(kind, given, made, **how) for kind, given, made, how in steps],
        "nearest_examples",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["number", width])],
        [helper.make_tensor_value_info("places", TensorProto.INT64, ["number", CANDIDATES])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    # As the encoder's graph: 8 is the file version that goes with opset 18.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def open_search(graph: bytes) -> Search:
    """What finds the candidates' places [m, `CANDIDATES`], in any order, for vectors [m, 384]."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it is done before a second thread has woken up
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(vectors: Floats) -> NDArray[np.int64]:
        places: NDArray[np.int64] = session.run(None, {"vectors": vectors})[0]
        return places

    return run
