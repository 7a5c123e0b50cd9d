"""Matching: one to one, as many as possible, then the best summed IoU."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.evaluate.segmentation import LabelPair
from tests.evaluate.brute_force import iou_matrix, matched
from tests.evaluate.label_fields import pairs, square

thresholds = st.sampled_from([0.05, 0.1, 0.25, 1 / 3, 0.5, 0.6, 0.75, 1.0])


@given(pairs, thresholds, st.booleans())
def test_equals_one_dense_assignment(pair, iou, is_strict):
    reference, prediction = pair
    tp, fp, fn, iou_sum = matched(reference, prediction, iou, is_strict=is_strict)
    overlap = LabelPair(reference, prediction).overlap
    matching = overlap.match(iou, is_strict=is_strict)
    assert len(matching) == tp
    assert len(overlap.prediction_ids) - len(matching) == fp
    assert len(overlap.reference_ids) - len(matching) == fn
    assert matching.ious.sum() == pytest.approx(iou_sum)


@given(pairs, thresholds)
def test_is_one_to_one_and_reports_the_iou_of_each_pair(pair, iou):
    reference, prediction = pair
    matching = LabelPair(reference, prediction).overlap.match(iou)
    assert len(set(matching.reference)) == len(set(matching.prediction)) == len(matching)
    assert (np.diff(matching.reference) > 0).all()
    ious = iou_matrix(reference, prediction)
    np.testing.assert_array_equal(matching.ious, ious[matching.reference, matching.prediction])


def test_an_iou_of_exactly_one_half_matches_unless_strict():
    reference, prediction = square((7, 9), (1, 1, 4, 4)), square((7, 9), (1, 1, 4, 2))
    overlap = LabelPair(reference, prediction).overlap
    assert overlap.pair_ious.tolist() == [0.5]
    assert len(overlap.match(0.5)) == 1
    assert len(overlap.match(0.5, is_strict=True)) == 0


def test_two_halves_of_one_object_tie_at_one_half_and_one_of_them_matches():
    reference, prediction = square((7, 9), (1, 1, 4, 4)), square((7, 9), (1, 1, 4, 2), (1, 3, 4, 2))
    matching = LabelPair(reference, prediction).overlap.match(0.5)
    assert len(matching) == 1
    assert len(LabelPair(prediction, reference).overlap.match(0.5)) == 1


def test_more_matches_win_over_a_better_one():
    # 2 overlaps A (IoU .6) and B (.2); 1 overlaps A alone (.25): greedy would leave 1 and B without partner.
    reference = square((1, 20), (0, 0, 1, 4), (0, 4, 1, 10))
    prediction = square((1, 20), (0, 2, 1, 8), (0, 10, 1, 2))
    overlap = LabelPair(reference, prediction).overlap
    ious = np.zeros((2, 2))
    ious[overlap.pair_reference, overlap.pair_prediction] = overlap.pair_ious
    np.testing.assert_allclose(ious, [[2 / 10, 0], [6 / 12, 2 / 10]])
    matching = overlap.match(0.2)
    assert list(zip(matching.reference, matching.prediction, strict=True)) == [(0, 0), (1, 1)]


def test_a_match_is_computed_once():
    overlap = LabelPair(square((7, 9), (1, 1, 4, 4)), square((7, 9), (1, 1, 4, 3))).overlap
    assert overlap.match(0.5) is overlap.match(0.5)
    assert overlap.match(0.5) is not overlap.match(0.5, is_strict=True)
