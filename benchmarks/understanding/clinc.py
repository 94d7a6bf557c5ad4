"""Fits how sure our pipeline is on CLINC150's own messages out of scope, as benchmarks/thresholds.py does on the clinic's.

The clinic's `Certainty` leans on its many examples out of scope, of which CLINC150's training data have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.understanding.folds import FOLDS
from benchmarks.understanding.readings import Taken


@dataclass(frozen=True)
class Fitted:
    """Logistic regression on log probability, nearness and evidence."""

    bias: float
    weights: tuple[float, ...]

    @classmethod
    def on(cls, examples: Sequence[tuple[str, str]], unknown: Sequence[str]) -> Fitted:
        """From the training examples, each read by a model that hasn't seen it, and messages out of scope."""
        from bot.serving import standin

        standin.install()
        from sklearn.linear_model import LogisticRegression

        from bot.components.topic_classifier import TopicClassifier, TopicModel
        from bot.encoder import features_of_many

        texts, topics = [text for text, _ in examples], [topic for _, topic in examples]
        features, outside = features_of_many(texts, 2), features_of_many(unknown, 2)
        config = TopicClassifier.get_default_config()
        places = np.random.default_rng(0).permutation(len(texts)) % FOLDS
        rows: list[Any] = []
        known: list[bool] = []
        for fold in range(FOLDS):
            inside, held = np.flatnonzero(places != fold), np.flatnonzero(places == fold)
            model = TopicModel.fit(
                [texts[i] for i in inside], features[inside], [topics[i] for i in inside], config
            )
            some = range(fold, len(unknown), FOLDS)
            read = model.read([texts[i] for i in held], features[held])
            read += model.read([unknown[i] for i in some], outside[list(some)])
            rows += [(np.log(one.confidence + 1e-4), one.nearness, one.evidence) for one in read]
            known += [True] * len(held) + [False] * len(some)
        fitted = LogisticRegression(C=3, class_weight="balanced").fit(np.array(rows), known)
        return cls(float(fitted.intercept_[0]), tuple(float(weight) for weight in fitted.coef_[0]))

    def applied(self, taken: Sequence[Taken]) -> list[Taken]:
        """The same readings with this certainty."""
        scores = [self.bias + np.dot(self.weights, one.measures) for one in taken]
        return [
            replace(one, known=float(1 / (1 + np.exp(-score))))
            for one, score in zip(taken, scores, strict=True)
        ]
