"""A few more examples hardly change what was learned of the others."""

from __future__ import annotations

import numpy as np

from bot.components.steady_fit import places_of, softmax_regression

RANDOM = np.random.default_rng(7)
CENTRES = RANDOM.normal(size=(6, 24)).astype(np.float32)


def examples(topic: int, number: int) -> tuple[np.ndarray, list[str], list[str]]:
    features = CENTRES[topic] + RANDOM.normal(scale=1.2, size=(number, 24)).astype(np.float32)
    return features.astype(np.float32), [f"{topic} {n}" for n in range(number)], [f"t{topic}"] * number


def fit(parts):
    features = np.vstack([part[0] for part in parts])
    texts = [text for part in parts for text in part[1]]
    topics = [topic for part in parts for topic in part[2]]
    labels = np.array([int(topic[1:]) for topic in topics])
    weights, bias = softmax_regression(
        features, labels, len(parts), places_of(texts, topics), epochs=15, steps=1, rate=0.01, penalty=1e-4
    )
    return lambda x: np.exp(x @ weights.T + bias) / np.exp(x @ weights.T + bias).sum(axis=1, keepdims=True)


def test_one_more_topic_leaves_the_others_where_they_are():
    known = [examples(topic, 600) for topic in range(5)]
    before, after = fit(known), fit([*known, examples(5, 5)])
    asked = np.vstack([CENTRES[topic] + RANDOM.normal(scale=1.5, size=(100, 24)) for topic in range(5)])
    first, second = before(asked), after(asked)[:, :5]
    right = np.repeat(np.arange(5), 100)
    assert (first.argmax(axis=1) == right).mean() > 0.9
    assert (first.argmax(axis=1) == second.argmax(axis=1)).mean() > 0.99
    assert np.abs(first - second).mean() < 0.01


def test_an_example_keeps_its_place_whatever_stands_beside_it():
    alone = places_of(["does it hurt"], ["faq/pain"])
    beside = places_of(["hello", "does it hurt", "does it hurt"], ["greet", "faq/pain", "ask_medical"])
    assert alone[0] == beside[1] != beside[2]
