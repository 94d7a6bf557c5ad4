"""Five-fold cross-validation of the classifier on the training examples: what it makes of wordings it hasn't seen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stock import intents

FOLDS = 5


def main_figures(nlu: Path) -> dict[str, Any]:
    """Accuracy, accuracy by topic, and the pairs that are confused most, as label of the example -> likeliest topic."""
    from bot.serving import standin

    standin.install()
    from bot.components.topic_classifier import TopicClassifier, TopicModel
    from bot.encoder import encoder_path
    from bot.encoder_cache import encoded

    config = TopicClassifier.get_default_config()
    pairs = [(text, name) for name, texts in intents(nlu) if name not in config["left_out"] for text in texts]
    texts, topics = [text for text, _ in pairs], [topic for _, topic in pairs]
    features = encoded(texts, encoder_path(), threads=2)
    places = np.random.default_rng(0).permutation(len(texts)) % FOLDS
    found: list[str] = [""] * len(texts)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(places != fold), np.flatnonzero(places == fold)
        model = TopicModel.fit(
            [texts[i] for i in inside], features[inside], [topics[i] for i in inside], config
        )
        for place in outside:  # one at a time, as visitors' messages come
            found[place] = model.read([texts[place]], features[place][None])[0].topic
    right = Counter(topic for topic, one in zip(topics, found, strict=True) if topic == one)
    number = Counter(topics)
    confused = Counter((topic, one) for topic, one in zip(topics, found, strict=True) if topic != one)
    return {
        "accuracy": sum(right.values()) / len(topics),
        "by_topic": {topic: right[topic] / number[topic] for topic in number},
        "confused": [[*pair, count] for pair, count in confused.most_common(12)],
        "examples": len(topics),
    }
