"""The encoder's graphs against BERT written out in numpy, its cache, and its refusal of damaged files."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

from bot import encoder_build
from bot.encoder import (
    FLOAT_GRAPH,
    INT8_GRAPH,
    MANIFEST,
    MAX_TOKENS,
    ORIGIN,
    TOKENIZER,
    EncoderError,
    SentenceEncoder,
    features_of_many,
    sha256,
    shared,
)
from bot.encoder_build import USUAL_TEXTS, WEIGHTS, build_encoder, weights_folder

TEXTS = [
    "How much does milia removal cost?",
    "what's the price",
    "Does it hurt?",
    "is it painful to have milia taken out near the eyes",
    "Where are you, and is there parking?",
    "Can I book for Saturday morning?",
    "hi",
    "Kann ich auch auf Deutsch fragen? ça va, 你好 👋",
    "I had small white bumps under my left eye for about three years and my friend told me that you can "
    "remove them without a scar; is that true, how long does it take, and do I have to take a day off work?",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("build") / "encoder"
    assert build_encoder(directory)
    return directory


@pytest.fixture(scope="module")
def encoder(built: Path) -> SentenceEncoder:
    return SentenceEncoder(built)


class Reference:
    """BERT's forward pass, mean pooling and normalisation, as plainly as numpy allows."""

    def __init__(self) -> None:
        self.weights = load_file(weights_folder() / WEIGHTS)
        self.tokenizer = Tokenizer.from_file(str(weights_folder() / TOKENIZER))
        self.tokenizer.no_padding()

    def encode(self, text: str) -> np.ndarray:
        tokens = self.tokenizer.encode(text).ids
        words, positions, types = (
            self.weights[f"embeddings.{part}_embeddings.weight"]
            for part in ("word", "position", "token_type")
        )
        x = self.norm((words[tokens] + positions[: len(tokens)] + types[0]).astype(np.float64), "embeddings")
        for layer in range(6):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                self.dense(x, f"{name}.attention.self.{part}").reshape(-1, 12, 32).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            )
            scores = np.exp(query @ key.transpose(0, 2, 1) / np.sqrt(32))
            seen = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(x.shape)
            x = self.norm(self.dense(seen, f"{name}.attention.output.dense") + x, f"{name}.attention.output")
            wide = self.dense(x, f"{name}.intermediate.dense")
            wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
            x = self.norm(self.dense(wide, f"{name}.output.dense") + x, f"{name}.output")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)

    def dense(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * self.weights[f"{name}.LayerNorm.weight"] + self.weights[f"{name}.LayerNorm.bias"]


@pytest.mark.parametrize(
    ("graph", "least", "mean"), [(FLOAT_GRAPH, 0.999999, 0.999999), (INT8_GRAPH, 0.98, 0.995)]
)
def test_graphs_compute_what_bert_computes(built: Path, graph: str, least: float, mean: float) -> None:
    reference = Reference()
    vectors = SentenceEncoder(built, graph=graph).encode(TEXTS)
    cosines = np.array([vector @ reference.encode(text) for vector, text in zip(vectors, TEXTS, strict=True)])
    assert cosines.min() >= least
    assert cosines.mean() >= mean


def test_vectors_are_unit_float32_rows(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_close_meanings_lie_close_together(encoder: SentenceEncoder) -> None:
    cost, price, hurt, painful = encoder.encode(TEXTS[:4])
    assert cost @ price > cost @ hurt + 0.15
    assert hurt @ painful > hurt @ price + 0.15


def test_company_leaves_a_text_its_vector(built: Path) -> None:
    alone = np.concatenate([SentenceEncoder(built).encode([text]) for text in TEXTS[:3]])
    together = SentenceEncoder(built).encode(TEXTS)
    np.testing.assert_allclose(together[:3], alone, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2])
def test_many_get_the_vectors_that_each_gets_alone(built: Path, threads: int) -> None:
    # Of equal length and very different sizes within: what one shares with its neighbours would show.
    several = [
        f"{first} {second}" for first in ("hi", "ouch", "$$$") for second in ("you", "!!!", "milia", "9")
    ]
    texts = [*TEXTS, *several, "", "x" * 5000, *TEXTS]
    alone = np.concatenate([SentenceEncoder(built).features([text]) for text in texts])
    together = features_of_many(texts, threads, built)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert features_of_many([], threads, built).shape == (0, 1152)


def test_order_and_repeats_are_kept(built: Path) -> None:
    fresh = SentenceEncoder(built)
    once = fresh.encode(TEXTS[:2])
    np.testing.assert_array_equal(fresh.encode([TEXTS[1], TEXTS[0], TEXTS[1]]), once[[1, 0, 1]])


def test_long_texts_count_with_their_first_tokens(encoder: SentenceEncoder) -> None:
    first = " ".join(["word"] * (MAX_TOKENS - 2))  # two tokens mark the start and the end
    short, longer, shorter = encoder.encode([first, f"{first} and another", first[: len(first) // 2]])
    np.testing.assert_array_equal(longer, short)
    assert not np.array_equal(shorter, short)
    assert encoder.encode(["x" * 1_000_000]).shape == (1, 384)


@pytest.mark.parametrize("text", ["", " ", "\x00", "half a smile \ud83d", "‮", "\n" * 50])
def test_odd_texts_have_vectors_too(encoder: SentenceEncoder, text: str) -> None:
    assert np.isfinite(encoder.encode([text])).all()


def test_the_cache_forgets_the_text_not_used_for_longest(built: Path) -> None:
    small = SentenceEncoder(built, cache_size=2)
    small.encode(["one"])
    small.encode(["two"])
    small.encode(["one"])
    small.encode(["three"])
    assert list(small._cache) == ["one", "three"]
    unremembering = SentenceEncoder(built, cache_size=0)
    np.testing.assert_array_equal(unremembering.encode(["one"]), unremembering.encode(["one"]))
    assert not unremembering._cache


def test_a_text_that_is_remembered_keeps_no_other_in_memory(built: Path) -> None:
    small = SentenceEncoder(built, cache_size=1)
    small.encode(TEXTS)
    [kept] = small._cache.values()
    assert kept.base is None
    assert kept.shape == (1152,)


def test_a_changed_result_does_not_change_the_cache(encoder: SentenceEncoder) -> None:
    before = encoder.encode(["hello"])
    encoder.encode(["hello"])[:] = 0
    np.testing.assert_array_equal(encoder.encode(["hello"]), before)


def test_many_threads_share_one_encoder(built: Path) -> None:
    expected = SentenceEncoder(built).encode(TEXTS)  # in company, so not to the last bit as alone
    busy = SentenceEncoder(built, cache_size=3)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(lambda _: busy.encode(TEXTS), range(16)):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert len(busy._cache) == 3


def test_a_process_shares_one_encoder(built: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len({id(one) for one in pool.map(lambda _: shared(built), range(8))}) == 1
    assert shared(built.parent / "encoder" / ".") is shared(built)


def test_a_second_build_does_nothing_and_a_damaged_one_is_built_again(built: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(built, tmp_path / "encoder")
    before = (directory / INT8_GRAPH).stat().st_mtime_ns
    assert not build_encoder(directory)
    assert (directory / INT8_GRAPH).stat().st_mtime_ns == before
    (directory / INT8_GRAPH).write_bytes(b"")
    assert build_encoder(directory)
    assert (directory / MANIFEST).read_bytes() == (built / MANIFEST).read_bytes()
    assert sorted(path.name for path in directory.iterdir()) == sorted(path.name for path in built.iterdir())


def _truncate(directory: Path) -> None:
    with (directory / INT8_GRAPH).open("r+b") as file:
        file.truncate(1_000_000)


def _change(directory: Path) -> None:
    with (directory / INT8_GRAPH).open("r+b") as file:
        file.seek(5_000_000)
        file.write(b"\x55")


def _other_version(directory: Path) -> None:
    manifest = json.loads((directory / MANIFEST).read_text())
    (directory / MANIFEST).write_text(json.dumps({**manifest, "builder": 0}))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_truncate, "damaged"),
        (_change, "damaged"),
        (lambda directory: (directory / INT8_GRAPH).unlink(), "missing"),
        (lambda directory: (directory / TOKENIZER).unlink(), "missing"),
        (lambda directory: (directory / MANIFEST).write_text("{"), "not built"),
        (lambda directory: (directory / MANIFEST).write_text("[]"), "not built"),
        (shutil.rmtree, "not built"),
        (_other_version, "another version"),
    ],
)
def test_damaged_files_are_refused_with_the_way_out(built: Path, tmp_path: Path, damage, says: str) -> None:
    directory = shutil.copytree(built, tmp_path / "encoder")
    damage(directory)
    with pytest.raises(EncoderError, match=f"{says}.*make setup"):
        SentenceEncoder(directory)


def test_the_usual_texts_are_those_that_the_encoder_is_known_by() -> None:
    assert sha256(USUAL_TEXTS) == ORIGIN["texts"], "put the new digest into bot.encoder.ORIGIN"


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_build, "weights_folder", lambda: tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"other weights")
    with pytest.raises(EncoderError, match=r"model\.safetensors.*make setup"):
        build_encoder(tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


def test_a_missing_wheel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_build, "WEIGHTS_PACKAGE", "no_such_weights")
    with pytest.raises(EncoderError, match=r"no_such_weights.*make setup"):
        build_encoder(tmp_path / "encoder")
