"""Metrics of objects by hand, and against what they equal by theory."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellsynth.evaluate.counts import DetCounts
from cellsynth.evaluate.segmentation import LabelPair, registry
from cellsynth.evaluate.segmentation._matching import best_one_to_one
from tests.evaluate.brute_force import iou_matrix, largest_iou_pairs
from tests.evaluate.label_fields import pairs, square

WHOLE = square((9, 17), (1, 1, 4, 12))
THIRDS = square((9, 17), (1, 1, 4, 4), (1, 5, 4, 4), (1, 9, 4, 4))
NOTHING = np.zeros((9, 17), np.int32)


def score(kind, reference, prediction, **fields):
    metric = registry.parse({"kind": kind, **fields})
    return metric.score(metric.measure(LabelPair(reference, prediction)))


# Published in Bruch et al., PLOS ONE 18 (2023) e0283828: N = 201 cells, four training sets.
@pytest.mark.parametrize(
    ("det", "fp", "fn", "splits"),
    [(0.815920, 220, 0, 30), (0.924876, 66, 1, 15), (0.926368, 63, 0, 17), (0.720896, 71, 43, 12)],
)
def test_det_of_published_counts_is_the_published_det(det, fp, fn, splits):
    counts = DetCounts(splits=splits, fn=fn, fp=fp, n_reference=201)
    assert registry.parse("ctc_det").score(counts) == pytest.approx(det, abs=5e-7)


def test_det_is_zero_where_correcting_costs_more_than_starting_anew():
    counts = DetCounts(splits=0, fn=0, fp=1000, n_reference=10)
    assert registry.parse("ctc_det").score(counts) == 0
    assert registry.parse({"kind": "ctc_det", "false_alarm_weight": 0.05}).score(counts) == pytest.approx(0.5)


def test_three_cells_in_one_object_need_two_separations():
    assert score("ctc_det", THIRDS, WHOLE) == pytest.approx(1 - 2 * 5 / 30)
    assert score("ctc_seg", THIRDS, WHOLE) == pytest.approx(1 / 3)
    assert score("ctc_op_csb", THIRDS, WHOLE) == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_a_cell_in_three_parts_is_not_found_and_leaves_three_false_alarms():
    assert score("ctc_det", WHOLE, THIRDS) == 0  # 10 + 3 is more than 10
    assert score("ctc_seg", WHOLE, THIRDS) == 0


def test_half_a_cell_does_not_cover_it():
    assert score("ctc_seg", square((9, 17), (1, 1, 4, 4)), square((9, 17), (1, 1, 4, 2))) == 0
    assert score("ctc_seg", square((9, 17), (1, 1, 4, 4)), square((9, 17), (1, 1, 4, 3))) == pytest.approx(
        0.75
    )


def test_challenge_measures_without_a_reference_are_undefined_and_without_a_prediction_zero():
    for kind in ("ctc_seg", "ctc_det", "ctc_op_csb"):
        assert math.isnan(score(kind, NOTHING, WHOLE))
        assert score(kind, WHOLE, NOTHING) == 0


def test_pooled_challenge_measure_weighs_cells_and_not_frames():
    metric = registry.parse("ctc_seg")
    one, three = LabelPair(WHOLE, NOTHING), LabelPair(THIRDS, THIRDS)
    assert metric.score(metric.measure(one) + metric.measure(three)) == pytest.approx(3 / 4)


def test_events_by_hand():
    def events(reference, prediction):
        return [score(kind, reference, prediction) for kind in ("splits", "merges", "misses", "false_alarms")]

    assert events(WHOLE, THIRDS) == [1, 0, 0, 0]
    assert events(THIRDS, WHOLE) == [0, 1, 0, 0]
    assert events(WHOLE, NOTHING) == [0, 0, 1, 0]
    assert events(NOTHING, THIRDS) == [0, 0, 0, 3]
    assert events(WHOLE, WHOLE) == [0, 0, 0, 0]
    chip = square((9, 17), (1, 1, 4, 9), (1, 10, 4, 3))
    assert events(WHOLE, chip) == [1, 0, 0, 0]  # matched, and split all the same
    assert events(chip, WHOLE) == [0, 1, 0, 0]


def test_events_are_per_image():
    metric = registry.parse("splits")
    total = metric.measure(LabelPair(WHOLE, THIRDS)) + metric.measure(LabelPair(WHOLE, WHOLE))
    assert metric.score(total) == 0.5


def test_one_to_one_aggregated_jaccard_uses_no_partner_twice():
    two, one = square((5, 9), (1, 1, 2, 2), (1, 3, 2, 2)), square((5, 9), (1, 1, 2, 4))
    assert score("aggregated_jaccard", two, one) == pytest.approx(8 / 16)
    assert score("aggregated_jaccard_plus", two, one) == pytest.approx(4 / (8 + 4))


@given(pairs)
def test_one_to_one_aggregated_jaccard_is_no_more_than_the_other_way_to_count(pair):
    plus = score("aggregated_jaccard_plus", *pair)
    iou = score("iou", *pair)
    assert math.isnan(plus) or plus <= iou + 1e-12


def test_ensemble_dice_counts_a_split_cell_once_per_part_and_misses_nothing_that_is_alone():
    assert score("ensemble_dice", WHOLE, THIRDS) == pytest.approx(2 * 48 / (3 * 48 + 48))
    missed = square((9, 17), (1, 1, 4, 4), (6, 12, 2, 2))
    assert score("ensemble_dice", missed, square((9, 17), (1, 1, 4, 4))) == 1
    assert score("ensemble_dice", WHOLE, np.roll(WHOLE, 5, axis=0) * (WHOLE == 0)) == 0


def test_sorted_average_precision_by_hand():
    # IoU 1 and 15/20, one missed, one invented: 2 of 4 up to .75, then 1 of 5.
    reference = square((13, 31), (1, 1, 5, 4), (1, 8, 5, 4), (1, 15, 5, 4))
    prediction = square((13, 31), (1, 1, 5, 4), (1, 8, 5, 3), (7, 20, 4, 4))
    expected = 0.75 * 2 / 4 + 0.25 * 1 / 5
    assert score("sorted_average_precision", reference, prediction) == pytest.approx(expected)


@settings(max_examples=20)
@given(pairs)
def test_sorted_average_precision_is_the_area_under_average_precision_above_the_contested_part(pair):
    metric = registry.parse("sorted_average_precision")
    counts = metric.measure(LabelPair(*pair))
    for iou in (0.57, 0.65, 0.8, 0.99):
        tp = sum(value >= iou for value in counts.ious)
        expected = tp / (counts.n_objects - tp) if counts.n_objects else math.nan
        assert score("average_precision", *pair, iou=iou) == pytest.approx(expected, nan_ok=True)


@given(pairs)
def test_best_pairing_has_the_largest_summed_iou(pair):
    overlap = LabelPair(*pair).overlap
    chosen = overlap.best_pairs
    assert (
        len(set(overlap.pair_reference[chosen])) == len(chosen) == len(set(overlap.pair_prediction[chosen]))
    )
    ious = iou_matrix(*pair)
    assert overlap.pair_ious[chosen].sum() == pytest.approx(
        sum(ious[i, j] for i, j in largest_iou_pairs(*pair))
    )


@given(st.integers(0, 2**32 - 1))
def test_a_pair_above_the_safe_overlap_is_never_left_out(seed):
    """Two and two objects on a line: pairing the middle, or both ends; no other geometry gains more."""
    rng = np.random.default_rng(seed)
    # Reference: k + n, then m. Prediction: k, then n + m. The middle pair shares n.
    n, k, m = (int(v) for v in rng.integers(1, 60, 3))
    line = np.zeros((2, 1, k + n + m), np.int32)
    line[0, 0, : k + n], line[0, 0, k + n :] = 1, 2
    line[1, 0, :k], line[1, 0, k:] = 1, 2
    overlap = LabelPair(line[0], line[1]).overlap
    chosen = overlap.best_pairs
    middle = n / (k + n + m)
    others = k / (k + n) + m / (n + m)
    assert overlap.pair_ious[chosen].sum() == pytest.approx(max(middle, others))
    if middle > 0.5616:
        assert middle > others


def test_a_field_without_any_good_pair_is_assigned_without_a_dense_matrix():
    n = 4000  # a chain in which every object overlaps two others by a third each
    reference = np.repeat(np.arange(1, n + 1), 4)
    prediction = np.roll(reference, 2)
    overlap = LabelPair(reference[None], prediction[None]).overlap
    chosen = best_one_to_one(
        overlap.pair_reference, overlap.pair_prediction, overlap.pair_ious, overlap.pair_intersections_px
    )
    assert len(chosen) == n
    assert len(overlap.match(0.1)) == n
