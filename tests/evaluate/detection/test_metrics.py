"""Each metric against values computed by hand, with the edge cases."""

import math

import numpy as np
import pytest

from cellsynth.evaluate.detection import PointPair, registry

NONE = np.zeros((0, 2))


def score(kind, pair, **fields):
    metric = registry.parse({"kind": kind, **fields})
    return metric.score(metric.measure(pair))


def row(*x: float) -> np.ndarray:
    """Points on a line."""
    return np.array([[0.0, value] for value in x])


# Two found, 1 and 3 off; one missed; two invented.
PAIR = PointPair(row(0, 100, 200), row(1, 97, 400, 500))


def test_two_found_one_missed_two_invented_by_hand():
    assert score("precision", PAIR) == pytest.approx(2 / 4)
    assert score("recall", PAIR) == pytest.approx(2 / 3)
    assert score("f1", PAIR) == pytest.approx(4 / (4 + 2 + 1))
    assert score("localisation_error", PAIR) == pytest.approx(2)
    assert score("count_error", PAIR) == pytest.approx(1 / 3)
    assert score("f1", PAIR, radius=2) == pytest.approx(2 / (2 + 3 + 2))


def test_an_empty_image_is_found_empty_and_is_no_hit():
    nothing = PointPair(NONE, NONE)
    for kind in ("precision", "recall", "f1"):
        assert score(kind, nothing) == 1
    assert score("count_error", nothing) == 0
    assert math.isnan(score("localisation_error", nothing))
    f1 = registry.parse("f1")
    assert f1.measure(nothing).tp == 0
    assert f1.score(f1.measure(nothing) + f1.measure(PAIR)) == score("f1", PAIR)


@pytest.mark.parametrize("kind", ["precision", "recall", "f1"])
def test_one_empty_side_scores_nothing(kind):
    assert score(kind, PointPair(NONE, row(0, 0))) == 0
    assert score(kind, PointPair(row(0, 0), NONE)) == 0


def test_nothing_against_one_at_the_origin_is_no_match():
    # The published script put a point at the origin into an empty side.
    counts = registry.parse("f1").measure(PointPair(NONE, row(0)))
    assert (counts.tp, counts.fp, counts.fn) == (0, 1, 0)


def test_count_error_is_undefined_for_an_empty_reference():
    assert math.isnan(score("count_error", PointPair(NONE, row(0))))
    assert score("count_error", PointPair(row(0), NONE)) == 1


def test_unit_of_an_error_is_that_of_the_radius():
    assert registry.parse("localisation_error").unit == "px"
    assert registry.parse({"kind": "localisation_error", "radius_unit": "um"}).unit == "um"
    assert registry.parse("f1").unit == ""
    assert registry.parse("f1").name == "f1[radius=12,radius_unit=px]"


# Classes by place: at 0 both 1; at 100 both 2; at 200 1 taken for 2; at 300 a missed 1; at 400 an invented 2.
TYPED = PointPair(
    row(0, 100, 200, 300),
    row(0, 100, 200, 400),
    reference_classes=np.array([1, 2, 1, 1]),
    prediction_classes=np.array([1, 2, 2, 2]),
)


def test_scores_of_classes_by_hand():
    assert score("class_accuracy", TYPED) == pytest.approx(2 / 3)
    # Class 1: TP 1, TN 1 (both 2), FP 0, FN 1, one missed, one invented: 2 * 2 / (2 * 2 + 2 * 1 + 1 + 1).
    assert score("class_f1", TYPED, class_id=1) == pytest.approx(4 / 8)
    assert score("class_f1", TYPED, class_id=2) == pytest.approx(4 / 8)
    assert score("class_f1", TYPED) == pytest.approx(4 / 8)
    # Of its own class: 1 has TP 1, FN 1, one missed; 2 has TP 1, FP 1, one invented.
    assert score("class_f1", TYPED, class_id=1, counted="own_class") == pytest.approx(2 / (2 + 2 + 1))
    assert score("class_f1", TYPED, class_id=2, counted="own_class") == pytest.approx(2 / (2 + 2 + 1))
    assert math.isnan(score("class_f1", TYPED, class_id=9, counted="own_class"))


def test_classes_do_not_decide_who_matches():
    # The nearer partner has the wrong class and is taken all the same.
    pair = PointPair(row(0), row(1, 2), reference_classes=np.array([1]), prediction_classes=np.array([2, 1]))
    assert score("class_accuracy", pair) == 0


def test_classes_of_an_empty_image():
    nothing = PointPair(NONE, NONE, reference_classes=np.zeros(0, int), prediction_classes=np.zeros(0, int))
    assert score("class_f1", nothing) == 1
    assert math.isnan(score("class_accuracy", nothing))
    missed = PointPair(row(0), NONE, reference_classes=np.array([3]), prediction_classes=np.zeros(0, int))
    assert score("class_f1", missed) == 0
