"""The encoder's network as an ONNX graph: BERT with 6 layers, its mean pooled to a unit vector."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS, HEADS, HIDDEN, MAX_TOKENS = 6, 12, 384, 128
POOLED_LAYERS = (6, 3, 0)
"""Layers whose mean is part of the features, the sentence vector first. Meaning is in the last, wording in
the first: a classifier that sees both makes a sixth fewer errors (docs/decisions/0004-classifier.md)."""
EPSILON = 1e-12
FUSED = "com.microsoft"
"""The domain of onnxruntime's own operators: with them nothing has to be found and fused at each start."""

Weights = Mapping[str, NDArray[np.float32]]


class Arithmetic(enum.Enum):
    """What the products are made of."""

    FLOATS = enum.auto()
    BYTES = enum.auto()
    """A quarter of the room, half the time; one text at a time, as all of a call shares a scale."""
    BYTES_IN_BATCHES = enum.auto()
    """The same for texts of equally many tokens, each with its own scale: each gets the vector that it gets
    alone. Half the time again for many; a fifth more for one."""


def encoder_graph(weights: Weights, arithmetic: Arithmetic) -> Any:
    """The ONNX model: the tokens of texts in, shape [n, length], their features out, shape [n, 1152]."""
    return _Graph(weights, arithmetic).model()


class _Graph:
    """Collects the nodes and constants of one model; each step returns the name of what it computed."""

    def __init__(self, weights: Weights, arithmetic: Arithmetic) -> None:
        self._weights = weights
        self._arithmetic = arithmetic
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self) -> Any:
        from onnx import TensorProto, helper

        hidden = self._embed("tokens")
        pooled = {0: self._pool(hidden, "vector.0")}
        for layer in range(1, LAYERS + 1):
            hidden = self._layer(hidden, f"encoder.layer.{layer - 1}")
            if layer in POOLED_LAYERS:
                pooled[layer] = self._pool(hidden, f"vector.{layer}")
        self._node("Concat", [pooled[layer] for layer in POOLED_LAYERS], "features", axis=-1)
        number = 1 if self._arithmetic is Arithmetic.BYTES else "number"
        width = HIDDEN * len(POOLED_LAYERS)
        graph = helper.make_graph(
            self._nodes,
            "sentence_encoder",
            [helper.make_tensor_value_info("tokens", TensorProto.INT64, [number, "length"])],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [number, width])],
            self._constants,
        )
        # Opset 18 is the first whose Split takes a number of parts; 8 is the file version that goes with it.
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _embed(self, tokens: str) -> str:
        words, places, types = (
            self._weights[f"embeddings.{part}_embeddings.weight"]
            for part in ("word", "position", "token_type")
        )
        # No pairs of sentences: the token type is always 0 and is added to the positions here.
        positions = self._constant("positions", (places + types[0])[:MAX_TOKENS])
        length = self._node("Shape", [tokens], "length", start=1, end=2)
        zero = self._constant("zero", np.zeros(1, np.int64))
        position = self._node("Slice", [positions, zero, length, zero], "position_vectors")
        embedded = self._node("Add", [self._words(words, tokens), position], "embedded")
        return self._node(
            "LayerNormalization", [embedded, *self._norm("embeddings")], "hidden", axis=-1, epsilon=EPSILON
        )

    def _words(self, table: NDArray[np.float32], tokens: str) -> str:
        if self._arithmetic is Arithmetic.FLOATS:
            return self._node("Gather", [self._constant("words", table), tokens], "word_vectors")
        from onnx import TensorProto

        # Half of the weights: one byte each, and a scale for every word.
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, np.finfo(np.float32).tiny)
        small = self._constant("words", np.rint(table / scales).astype(np.int8))
        steps = self._node("Gather", [small, tokens], "word_bytes")
        steps = self._node("Cast", [steps], "word_steps", to=TensorProto.FLOAT)
        scale = self._node("Gather", [self._constant("words.scale", scales), tokens], "word_scales")
        return self._node("Mul", [steps, scale], "word_vectors")

    def _layer(self, hidden: str, name: str) -> str:
        parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        stacked = np.concatenate([self._weights[f"{part}.weight"] for part in parts])
        projected = self._product(hidden, f"{name}.attention.self", stacked)
        vectors = [f"{part}.out" for part in parts]
        self._node("Split", [projected], *vectors, axis=-1, num_outputs=3)
        bias = self._constant(
            f"{name}.attention.self.bias", np.concatenate([self._weights[f"{part}.bias"] for part in parts])
        )
        seen = self._node(
            "MultiHeadAttention", [*vectors, bias], f"{name}.attention.seen", domain=FUSED, num_heads=HEADS
        )
        hidden = self._add_and_norm(seen, hidden, f"{name}.attention.output")
        part = f"{name}.intermediate.dense"
        wide = self._product(hidden, part, self._weights[f"{part}.weight"])
        wide = self._node("BiasGelu", [wide, self._bias(part)], f"{part}.gelu", domain=FUSED)
        return self._add_and_norm(wide, hidden, f"{name}.output")

    def _add_and_norm(self, value: str, skipped: str, name: str) -> str:
        product = self._product(value, f"{name}.dense", self._weights[f"{name}.dense.weight"])
        inputs = [product, skipped, *self._norm(name), self._bias(f"{name}.dense")]
        return self._node("SkipLayerNormalization", inputs, f"{name}.hidden", domain=FUSED, epsilon=EPSILON)

    def _pool(self, hidden: str, name: str) -> str:
        axis = self._constant(f"{name}.axis", np.ones(1, np.int64))
        mean = self._node("ReduceMean", [hidden, axis], f"{name}.mean", keepdims=0)
        return self._node("LpNormalization", [mean], name, axis=-1, p=2)

    def _product(self, value: str, name: str, weight: NDArray[np.float32]) -> str:
        """value x weight, the weight as the source keeps it: a row for each output."""
        matrix = weight.T
        if self._arithmetic is Arithmetic.FLOATS:
            return self._node("MatMul", [value, self._constant(f"{name}.weight", matrix)], f"{name}.product")
        # Unsigned bytes: sums with signed ones saturate on processors without VNNI, and vectors would differ.
        low, high = np.minimum(matrix.min(axis=0), 0), np.maximum(matrix.max(axis=0), 0)
        scale = ((high - low) / 255).astype(np.float32)
        zero = np.rint(-low / scale)
        steps = np.clip(np.rint(matrix / scale) + zero, 0, 255)
        weights = self._constant(f"{name}.weight", steps.astype(np.uint8))
        scales = self._constant(f"{name}.scale", scale)
        zeros = self._constant(f"{name}.zero", zero.astype(np.uint8))
        if self._arithmetic is Arithmetic.BYTES_IN_BATCHES:
            sums = self._constant(f"{name}.sums", (steps - zero).sum(axis=0).astype(np.int32))
            return self._product_by_text(value, name, weights, scales, zeros, sums)
        inputs = [value, weights, scales, zeros]
        return self._node("DynamicQuantizeMatMul", inputs, f"{name}.product", domain=FUSED)

    def _product_by_text(
        self, value: str, name: str, weights: str, scales: str, zeros: str, sums: str
    ) -> str:
        """What DynamicQuantizeMatMul computes for each text alone, in its steps and to the last integer."""
        from onnx import TensorProto

        within = self._constant(f"{name}.within", np.array([1, 2], np.int64))  # a text's tokens and features
        none = self._constant(f"{name}.none", np.zeros(1, np.float32))
        lowest = self._node("ReduceMin", [value, within], f"{name}.lowest")
        low = self._node("Min", [lowest, none], f"{name}.low")
        highest = self._node("ReduceMax", [value, within], f"{name}.highest")
        high = self._node("Max", [highest, none], f"{name}.high")
        spread = self._node("Sub", [high, low], f"{name}.spread")
        steps = self._constant(f"{name}.steps", np.full(1, 255, np.float32))
        step = self._node("Div", [spread, steps], f"{name}.step")
        down = self._node("Neg", [low], f"{name}.down")
        zero = self._node("Round", [self._node("Div", [down, step], f"{name}.place")], f"{name}.text_zero")
        line = self._constant(f"{name}.line", np.array([-1], np.int64))
        step_line = self._node("Reshape", [step, line], f"{name}.step_line")
        zero_byte = self._node("Cast", [zero], f"{name}.zero_byte", to=TensorProto.UINT8)
        zero_line = self._node("Reshape", [zero_byte, line], f"{name}.zero_line")
        small = self._node("QuantizeLinear", [value, step_line, zero_line], f"{name}.bytes", axis=0)
        nothing = self._constant(f"{name}.nothing", np.array(0, np.uint8))
        shifted = self._node("MatMulInteger", [small, weights, nothing, zeros], f"{name}.shifted")
        zero_number = self._node("Cast", [zero], f"{name}.zero_number", to=TensorProto.INT32)
        shift = self._node("Mul", [zero_number, sums], f"{name}.shift")
        whole = self._node("Sub", [shifted, shift], f"{name}.whole")
        number = self._node("Cast", [whole], f"{name}.number", to=TensorProto.FLOAT)
        scale = self._node("Mul", [step, scales], f"{name}.text_scale")
        return self._node("Mul", [number, scale], f"{name}.product")

    def _norm(self, name: str) -> list[str]:
        names = [f"{name}.LayerNorm.{part}" for part in ("weight", "bias")]
        return [self._constant(name, self._weights[name]) for name in names]

    def _bias(self, name: str) -> str:
        return self._constant(f"{name}.bias", self._weights[f"{name}.bias"])

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _node(self, kind: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(
            helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes)
        )
        return outputs[0]
