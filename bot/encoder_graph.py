"""The encoder's network as an ONNX graph: BERT with 6 layers, its mean pooled to a unit vector.

Several texts go through it at once, their tokens one after the other. Only to see each other they are laid
out text by text, so that each text is computed as if it were alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

UNSEEN = -60.0
"""Added to the attention that is paid to what stands behind a shorter text: e to this power vanishes beside
any other, and is not yet one of the smallest numbers, with which processors are slow."""

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]


def encoder_graph(weights: Weights) -> Any:
    """The ONNX model that computes the features of texts, shape [n, 1152], in floats.

    Its inputs are those that `bot.encoder.graph_inputs` makes.
    """
    return EncoderGraph(weights).model()


def measuring_graph(weights: Weights) -> tuple[Any, list[str]]:
    """A model whose outputs are the inputs of each product, their last dimension the channels, and the names
    of the products in that order."""
    graph = EncoderGraph(weights)
    graph.features()
    return graph.model_of(graph.products.values()), list(graph.products)


class EncoderGraph:
    """Collects the nodes and constants of one model; each step returns the name of what it computed.

    products: by the name of each product, that of its input.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.products: dict[str, str] = {}

    def model(self) -> Any:
        """The model that gives the features."""
        return self.model_of([self.features()])

    def features(self) -> str:
        """Puts in all that the features take."""
        from onnx import TensorProto

        here = self._node("GreaterOrEqual", ["rows", self._constant("first", np.array(0))], "here")
        self._node("Cast", [here], "mask", to=TensorProto.INT32)
        hidden = self._embed()
        pooled = {0: self._pool(hidden, "vector.0")}
        for layer in range(1, LAYERS + 1):
            hidden = self._layer(hidden, f"encoder.layer.{layer - 1}")
            if layer in POOLED_LAYERS:
                pooled[layer] = self._pool(hidden, f"vector.{layer}")
        return self._node("Concat", [pooled[layer] for layer in POOLED_LAYERS], "features", axis=-1)

    def model_of(self, outputs: Iterable[str]) -> Any:
        """The model that gives some of what was put in, by name."""
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "sentence_encoder",
            [
                helper.make_tensor_value_info("tokens", TensorProto.INT64, ["t"]),
                helper.make_tensor_value_info("places", TensorProto.INT64, ["t"]),
                helper.make_tensor_value_info("rows", TensorProto.INT64, ["n", "longest"]),
                helper.make_tensor_value_info("back", TensorProto.INT64, ["t"]),
                helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["n", "t"]),
            ],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self._constants,
        )
        # 8 is the file version that goes with opset 18.
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _words(self, table: Floats) -> str:
        return self._node("Gather", [self._constant("words", table), "tokens"], "word_vectors")

    def _embed(self) -> str:
        words, places, types = (
            self._weights[f"embeddings.{part}_embeddings.weight"]
            for part in ("word", "position", "token_type")
        )
        # No pairs of sentences: the token type is always 0 and is added to the positions here.
        positions = self._constant("positions", (places + types[0])[:MAX_TOKENS])
        position = self._node("Gather", [positions, "places"], "position_vectors")
        embedded = self._node("Add", [self._words(words), position], "embedded")
        return self._node(
            "LayerNormalization", [embedded, *self._norm("embeddings")], "hidden", axis=-1, epsilon=EPSILON
        )

    def _layer(self, hidden: str, name: str) -> str:
        seen = self._one_after_the_other(self._attend(hidden, name), f"{name}.attention.rows")
        hidden = self._add_and_norm(seen, hidden, f"{name}.attention.output")
        part = f"{name}.intermediate.dense"
        wide = self._gelu(self._product(hidden, part, self._matrix(part)), self._bias(part), f"{part}.gelu")
        return self._add_and_norm(wide, hidden, f"{name}.output")

    def _attend(self, hidden: str, name: str) -> str:
        matrix, bias = self._attention(name)
        name = f"{name}.attention"
        projected = self._product(self._text_by_text(hidden), f"{name}.self", matrix)
        vectors = [f"{name}.{part}" for part in ("query", "key", "value")]
        self._node("Split", [projected], *vectors, axis=-1, num_outputs=3)
        return self._node(
            "MultiHeadAttention",
            [*vectors, self._constant(f"{name}.self.bias", bias), "mask"],
            f"{name}.seen",
            domain=FUSED,
            num_heads=HEADS,
            mask_filter_value=UNSEEN,
        )

    def _product(self, value: str, name: str, matrix: Floats) -> str:
        self.products[name] = value
        return self._node("MatMul", [value, self._constant(f"{name}.weight", matrix)], f"{name}.product")

    def _gelu(self, value: str, bias: str, name: str) -> str:
        return self._node("BiasGelu", [value, bias], name, domain=FUSED)

    def _text_by_text(self, value: str) -> str:
        """[t, channels] as [n, longest, channels]; behind a shorter text stands anything."""
        return self._node("Gather", [value, "rows"], f"{value}.by_text")

    def _one_after_the_other(self, value: str, name: str) -> str:
        """[n, longest, hidden] as [t, hidden]."""
        shape = self._constant(f"{name}.shape", np.array([-1, HIDDEN]))
        return self._node("Gather", [self._node("Reshape", [value, shape], f"{name}.flat"), "back"], name)

    def _add_and_norm(self, value: str, skipped: str, name: str) -> str:
        product = self._product(value, f"{name}.dense", self._matrix(f"{name}.dense"))
        inputs = [product, skipped, *self._norm(name), self._bias(f"{name}.dense")]
        return self._node("SkipLayerNormalization", inputs, f"{name}.hidden", domain=FUSED, epsilon=EPSILON)

    def _pool(self, hidden: str, name: str) -> str:
        mean = self._node("MatMul", ["shares", hidden], f"{name}.mean")
        return self._node("LpNormalization", [mean], name, axis=-1, p=2)

    def _matrix(self, name: str) -> Floats:
        """The weights of a product, a row for each channel of its input."""
        return self._weights[f"{name}.weight"].T

    def _attention(self, name: str) -> tuple[Floats, Floats]:
        """The matrix and the bias that give queries, keys and values side by side."""
        parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        matrix = np.concatenate([self._matrix(part) for part in parts], axis=1)
        return matrix, np.concatenate([self._weights[f"{part}.bias"] for part in parts])

    def _norm(self, name: str) -> list[str]:
        names = [f"{name}.LayerNorm.{part}" for part in ("weight", "bias")]
        return [self._constant(name, self._weights[name]) for name in names]

    def _bias(self, name: str) -> str:
        return self._constant(f"{name}.bias", self._weights[f"{name}.bias"])

    def _constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        # Not np.ascontiguousarray, which makes a list of one of a single number.
        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def _node(self, kind: str, inputs: list[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(
            helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes)
        )
        return outputs[0]
