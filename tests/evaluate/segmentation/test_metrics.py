"""Each metric against its formula on random fields, and against values computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellsynth.core.errors import RecipeError
from cellsynth.evaluate.segmentation import LabelPair, registry
from tests.evaluate import brute_force
from tests.evaluate.label_fields import pairs, square


def score(kind, reference, prediction, **fields):
    metric = registry.parse({"kind": kind, **fields})
    return metric.score(metric.measure(LabelPair(reference, prediction)))


@pytest.mark.parametrize("kind", [k for k in registry.names() if not registry.get(k).needs_classes])
@settings(max_examples=30)
@given(pair=pairs)
def test_equals_the_formula_on_masks(kind, pair):
    expected = getattr(brute_force, kind)(*pair)
    assert score(kind, *pair) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("kind", ["average_precision", "f1", "precision", "recall"])
@given(pair=pairs, iou=st.sampled_from([0.1, 0.3, 0.55, 0.6, 0.75, 0.95, 1.0]))
def test_equals_the_formula_at_any_threshold(kind, pair, iou):
    expected = getattr(brute_force, kind)(*pair, iou)
    assert score(kind, *pair, iou=iou) == pytest.approx(expected, nan_ok=True)


# A square of 6 x 6 shifted by 2: 24 shared, union 48, so an IoU of exactly one half.
REFERENCE, SHIFTED = square((13, 17), (2, 3, 6, 6)), square((13, 17), (2, 5, 6, 6))


def test_shifted_square_has_the_scores_computed_by_hand():
    assert score("average_precision", REFERENCE, SHIFTED) == 1
    assert score("average_precision", REFERENCE, SHIFTED, iou=0.51) == 0
    assert score("f1", REFERENCE, SHIFTED) == 1
    assert score("mean_average_precision", REFERENCE, SHIFTED) == pytest.approx(1 / 10)
    assert score("panoptic_quality", REFERENCE, SHIFTED) == 0  # strictly above one half
    assert score("detection_quality", REFERENCE, SHIFTED) == 0
    assert math.isnan(score("segmentation_quality", REFERENCE, SHIFTED))
    assert score("dice", REFERENCE, SHIFTED) == pytest.approx(48 / 72)
    assert score("aggregated_jaccard", REFERENCE, SHIFTED) == pytest.approx(24 / 48)
    assert score("count_error", REFERENCE, SHIFTED) == 0


def test_two_found_one_missed_one_invented_by_hand():
    reference = square((13, 31), (1, 1, 5, 4), (1, 8, 5, 4), (1, 15, 5, 4))
    prediction = square((13, 31), (1, 1, 5, 4), (1, 8, 5, 3), (7, 20, 4, 4))  # IoU 1, 15/20, invented
    assert score("average_precision", reference, prediction) == pytest.approx(2 / 4)
    assert score("average_precision", reference, prediction, iou=0.75) == pytest.approx(2 / 4)
    assert score("average_precision", reference, prediction, iou=0.8) == pytest.approx(1 / 5)
    # Thresholds .5 to .75 are six of ten.
    assert score("mean_average_precision", reference, prediction) == pytest.approx((6 * 2 / 4 + 4 / 5) / 10)
    assert score("f1", reference, prediction) == pytest.approx(4 / 6)
    assert score("precision", reference, prediction) == pytest.approx(2 / 3)
    assert score("recall", reference, prediction) == pytest.approx(2 / 3)
    assert score("panoptic_quality", reference, prediction) == pytest.approx(1.75 / 3)
    assert score("segmentation_quality", reference, prediction) == pytest.approx(1.75 / 2)
    assert score("detection_quality", reference, prediction) == pytest.approx(2 / 3)
    assert score("dice", reference, prediction) == pytest.approx(2 * 35 / (60 + 51))
    assert score("aggregated_jaccard", reference, prediction) == pytest.approx(35 / (20 + 20 + 20 + 16))
    assert score("count_error", reference, prediction) == 0


def test_thresholds_are_decimal_so_that_three_fifths_reaches_point_six():
    reference, prediction = square((3, 11), (1, 1, 1, 5)), square((3, 11), (1, 1, 1, 3))
    assert score("average_precision", reference, prediction, iou=0.6) == 1
    assert score("mean_average_precision", reference, prediction) == pytest.approx(3 / 10)


def test_aggregated_jaccard_uses_a_partner_twice_and_takes_the_first_of_equal_ones():
    two, one = square((5, 9), (1, 1, 2, 2), (1, 3, 2, 2)), square((5, 9), (1, 1, 2, 4))
    assert score("aggregated_jaccard", two, one) == pytest.approx((4 + 4) / (8 + 8))
    assert score("aggregated_jaccard", one, two) == pytest.approx(4 / (8 + 4))


def test_pixels_of_one_image_do_not_see_objects():
    merged = (square((9, 11), (1, 1, 3, 3), (1, 4, 3, 3)) > 0).astype(np.int32)
    assert score("dice", square((9, 11), (1, 1, 3, 3), (1, 4, 3, 3)), merged) == 1


def test_count_error_is_relative_and_has_no_upper_end():
    three = square((5, 11), (1, 1, 1, 1), (1, 3, 1, 1), (1, 5, 1, 1))
    one = np.where(three == 2, 2, 0)
    assert score("count_error", three, one) == pytest.approx(2 / 3)
    assert score("count_error", one, three) == pytest.approx(2)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("average_precision", "iou", 0.0),
        ("f1", "iou", 1.5),
        ("panoptic_quality", "iou_above", 0.4),
        ("mean_average_precision", "ious", []),
        ("dice", "iou", 0.5),
    ],
)
def test_what_cannot_be_a_threshold_is_refused(kind, field, value):
    with pytest.raises(RecipeError, match=field):
        registry.parse({"kind": kind, field: value})


def test_variants_of_one_kind_have_names_of_their_own():
    names = [
        registry.parse(data).name
        for data in (
            "average_precision",
            {"kind": "average_precision", "iou": 0.75},
            "panoptic_quality",
            {"kind": "panoptic_quality", "iou_above": 0.7},
            "mean_average_precision",
            {"kind": "mean_average_precision", "ious": [0.5, 0.75]},
        )
    ]
    assert names == [
        "average_precision[iou=0.5]",
        "average_precision[iou=0.75]",
        "panoptic_quality",
        "panoptic_quality[iou_above=0.7]",
        "mean_average_precision",
        "mean_average_precision[ious=0.5/0.75]",
    ]
