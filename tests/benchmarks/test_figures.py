"""The measurements' mathematics, against what can be worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.figures import auroc, calibration_error, fpr95, median_ratio, quantile, reliability


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = list(range(1, 101))
    assert quantile(values, 0.99) == 99
    assert quantile(values, 1.0) == 100
    assert quantile([3.0], 0.5) == quantile([3.0], 0.99) == 3.0


def test_ratios_are_of_the_same_round() -> None:
    assert median_ratio([8.0, 20.0, 9.0], [1.0, 10.0, 3.0]) == 3.0


def test_auroc_counts_ties_half() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.1, 0.2], [0.9, 0.8]) == 0.0
    assert auroc([0.5, 0.5], [0.5]) == 0.5
    assert auroc([0.9, 0.3], [0.5]) == 0.5


def test_fpr95_asks_how_many_unknown_pass_where_95_percent_of_the_known_do() -> None:
    known = [number / 100 for number in range(1, 101)]
    assert fpr95(known, [0.05, 0.07]) == 0.5  # the threshold is 0.06
    assert fpr95(known, [0.0]) == 0.0


def test_reliability_has_one_row_for_each_bin_that_holds_any() -> None:
    rows = reliability([0.05, 0.95, 1.0], [False, True, False])
    assert rows == [(pytest.approx(0.05), 0.0, 1), (pytest.approx(0.975), 0.5, 2)]


def test_calibration_error() -> None:
    assert calibration_error([1.0, 1.0, 0.0], [True, True, False]) == 0.0
    assert calibration_error([0.8] * 10, [True] * 6 + [False] * 4) == pytest.approx(0.2)
