"""The mathematics of the measurements."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = Sequence[float] | npt.NDArray[np.float64]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed (nearest rank: always one that was measured)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median_ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """The median of the ratios of values measured in the same rounds."""
    return statistics.median(value / other for value, other in zip(values, others, strict=True))


def auroc(known: Numbers, unknown: Numbers) -> float:
    """How often a known message scores above an unknown one; ties count half."""
    scores = np.concatenate([np.asarray(known, float), np.asarray(unknown, float)])
    ranks = _ranks(scores)[: len(known)]
    return float((ranks.sum() - len(known) * (len(known) + 1) / 2) / (len(known) * len(unknown)))


def _ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1, equal scores share the mean of theirs."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: npt.NDArray[np.float64] = last - (counts - 1) / 2
    return means[inverse.reshape(len(scores))]


def fpr95(known: Numbers, unknown: Numbers) -> float:
    """The share of unknown messages taken for known, with the threshold at which 95% of the known pass."""
    ordered = np.sort(np.asarray(known, float))[::-1]
    threshold = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return float(np.mean(np.asarray(unknown, float) >= threshold))


def reliability(confidence: Numbers, right: Sequence[bool], bins: int = 10) -> list[tuple[float, float, int]]:
    """For each bin of confidence that holds any: mean confidence, share right, number."""
    confidence, correct = np.asarray(confidence, float), np.asarray(right, bool)
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[inside].mean()), float(correct[inside].mean()), int(inside.sum()))
        for place in range(bins)
        if (inside := places == place).any()
    ]


def calibration_error(confidence: Numbers, right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error: how far confidence and share right are apart, weighted by the messages."""
    rows = reliability(confidence, right, bins)
    return sum(abs(mean - share) * count for mean, share, count in rows) / len(right)
