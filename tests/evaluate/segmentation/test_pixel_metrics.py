"""Metrics of voxels by hand, above all where a formula divides by zero."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.evaluate.counts import matthews
from cellsynth.evaluate.segmentation import LabelPair, registry
from tests.evaluate.label_fields import square

FULL, EMPTY = np.ones((5, 7), np.int32), np.zeros((5, 7), np.int32)


def score(kind, reference, prediction):
    metric = registry.parse(kind)
    return metric.score(metric.measure(LabelPair(reference, prediction)))


def test_a_shifted_square_by_hand():
    # 4 x 4 in 8 x 10 shifted by 1: TP 12, FP 4, FN 4, TN 60.
    reference, prediction = square((8, 10), (1, 1, 4, 4)), square((8, 10), (1, 2, 4, 4))
    assert score("iou", reference, prediction) == pytest.approx(12 / 20)
    assert score("mean_iou", reference, prediction) == pytest.approx((12 / 20 + 60 / 68) / 2)
    assert score("accuracy", reference, prediction) == pytest.approx(72 / 80)
    assert score("specificity", reference, prediction) == pytest.approx(60 / 64)
    assert score("pixel_precision", reference, prediction) == pytest.approx(12 / 16)
    assert score("pixel_recall", reference, prediction) == pytest.approx(12 / 16)
    assert score("matthews_correlation", reference, prediction) == pytest.approx((12 * 60 - 16) / (16 * 64))


@pytest.mark.parametrize(
    ("kind", "both_empty", "nothing_found", "nothing_there", "both_full"),
    [
        ("iou", math.nan, 0, 0, 1),
        ("mean_iou", 1, 0, 0, 1),
        ("accuracy", 1, 0, 0, 1),
        ("specificity", 1, math.nan, 0, math.nan),
        ("pixel_precision", 1, 0, 0, 1),
        ("pixel_recall", math.nan, 0, math.nan, 1),
        ("matthews_correlation", 1, 0, 0, 1),
    ],
)
def test_sides_without_foreground_or_background(kind, both_empty, nothing_found, nothing_there, both_full):
    assert score(kind, EMPTY, EMPTY) == pytest.approx(both_empty, nan_ok=True)
    assert score(kind, FULL, EMPTY) == pytest.approx(nothing_found, nan_ok=True)
    assert score(kind, EMPTY, FULL) == pytest.approx(nothing_there, nan_ok=True)
    assert score(kind, FULL, FULL) == pytest.approx(both_full, nan_ok=True)


def test_correlation_of_opposites_is_minus_one_and_of_one_margin_is_zero():
    half = (np.indices((5, 8))[1] < 4).astype(np.int32)
    assert score("matthews_correlation", half, 1 - half) == pytest.approx(-1)
    assert score("matthews_correlation", half, np.ones_like(half)) == 0
    assert score("matthews_correlation", half, np.zeros_like(half)) == 0


@given(*[st.integers(0, 2**40)] * 4)
def test_correlation_of_counts_is_in_its_range_however_large(tp, fp, fn, tn):
    assert -1 <= matthews(tp, fp, fn, tn) <= 1 + 1e-12
    assert matthews(tp, fp, fn, tn) == pytest.approx(matthews(tn, fn, fp, tp))
