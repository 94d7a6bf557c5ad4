"""The encoder's graph in bytes, its weights and what they are multiplied with: half the time of floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bot.encoder_graph import FUSED, HEADS, HIDDEN, UNSEEN, EncoderGraph, Floats, Weights

EVENNESS = 0.9
"""How much of the unevenness of a product's input its weights take over (SmoothQuant, Xiao et al. 2022). With
0 a few large channels take all steps of a byte, with 1 the weights' own largest do."""

Ranges = Mapping[str, Floats]
"""By the name of each product, the largest size of each channel of its input, among usual texts."""


def bytes_graph(weights: Weights, ranges: Ranges) -> Any:
    """The ONNX model that computes what that of `bot.encoder_graph` computes, nearly: cosine .998 on average.

    ranges: products are computed on scales that suit these.
    """
    return _BytesGraph(weights, ranges).model()


class _BytesGraph(EncoderGraph):
    """The steps that are another in bytes."""

    def __init__(self, weights: Weights, ranges: Ranges) -> None:
        super().__init__(weights)
        self._ranges = ranges
        self._even: set[str] = set()  # products whose input is evened out before

    def _words(self, table: Floats) -> str:
        from onnx import TensorProto

        # Half of the weights: one byte each, and a scale for every word.
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, np.finfo(np.float32).tiny)
        small = self._constant("words", np.rint(table / scales).astype(np.int8))
        steps = self._node("Gather", [small, "tokens"], "word_bytes")
        steps = self._node("Cast", [steps], "word_steps", to=TensorProto.FLOAT)
        scale = self._node("Gather", [self._constant("words.scale", scales), "tokens"], "word_scales")
        return self._node("Mul", [steps, scale], "word_vectors")

    def _attend(self, hidden: str, name: str) -> str:
        matrix, bias = self._attention(name)
        # What is seen is a mean of values: evened out in them, it needs no step of its own.
        out = f"{name}.attention.output.dense"
        self._even.add(out)
        evened = np.concatenate([np.ones(2 * HIDDEN, np.float32), 1 / self._evening(out, self._matrix(out))])
        value, weights, value_scale, scales, value_zero, zeros = self._in_bytes(
            hidden, f"{name}.attention.self", matrix * evened
        )
        bias_name = self._constant(f"{name}.attention.self.bias", bias * evened)
        return self._node(
            "QAttention",
            [self._text_by_text(value), weights, bias_name, value_scale, scales, "mask", value_zero, zeros],
            f"{name}.attention.seen",
            domain=FUSED,
            num_heads=HEADS,
            mask_filter_value=UNSEEN,
        )

    def _product(self, value: str, name: str, matrix: Floats) -> str:
        inputs = self._in_bytes(value, name, matrix)
        return self._node("MatMulIntegerToFloat", inputs, f"{name}.product", domain=FUSED)

    def _gelu(self, value: str, bias: str, name: str) -> str:
        # By the hyperbolic tangent: off by a hundredth of a byte's step, and a fifth quicker.
        return self._node("FastGelu", [value, bias], name, domain=FUSED)

    def _in_bytes(self, value: str, name: str, matrix: Floats) -> list[str]:
        """A product's operands, evened out and in bytes: its input and its weights, the scale of each, the
        byte that stands for zero in each.

        The input's scale is fixed, so that a text's vector doesn't depend on those that go along. Weights are
        unsigned: sums of signed and unsigned bytes saturate on processors without VNNI, and vectors would
        differ.
        """
        even = self._evening(name, matrix)
        if name not in self._even:
            value = self._node("Mul", [value, self._constant(f"{name}.evening", 1 / even)], f"{name}.even")
        scale = np.float32((self._ranges[name] / even).max() / 127)
        matrix = matrix * even[:, None]
        low, high = np.minimum(matrix.min(axis=0), 0), np.maximum(matrix.max(axis=0), 0)
        scales = ((high - low) / 255).astype(np.float32)
        zeros = np.rint(-low / scales)
        steps = np.clip(np.rint(matrix / scales) + zeros, 0, 255)
        value_scale = self._constant(f"{name}.value.scale", scale)
        value_zero = self._constant(f"{name}.value.zero", np.uint8(128))
        return [
            self._node("QuantizeLinear", [value, value_scale, value_zero], f"{name}.bytes"),
            self._constant(f"{name}.weight", steps.astype(np.uint8)),
            value_scale,
            self._constant(f"{name}.scale", scales),
            value_zero,
            self._constant(f"{name}.zero", zeros.astype(np.uint8)),
        ]

    def _evening(self, name: str, matrix: Floats) -> Floats:
        """What each channel of a product's input is divided by, and its weights are multiplied with."""
        tiny = np.float32(1e-5)
        sizes = np.maximum(self._ranges[name], tiny) ** EVENNESS
        even: Floats = sizes / np.maximum(np.abs(matrix).max(axis=1), tiny) ** (1 - EVENNESS)
        return even.astype(np.float32)
