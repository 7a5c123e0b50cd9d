"""Metrics of classes: against images of one class each, by hand, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.errors import InputError
from cellsynth.evaluate.segmentation import LabelPair, registry
from tests.evaluate import brute_force
from tests.evaluate.label_fields import pairs, square

THREE = square((9, 31), (1, 1, 5, 4), (1, 8, 5, 4), (1, 15, 5, 4))


def score(kind, reference, prediction, first, second, **fields):
    metric = registry.parse({"kind": kind, **fields})
    pair = LabelPair(reference, prediction, reference_classes=first, prediction_classes=second)
    return metric.score(metric.measure(pair))


def array(*classes):
    """Classes of the ids 1, 2, ...; what stands at 0 is not looked at."""
    return np.array([99, *classes])


@given(pairs, st.integers(0, 2**32 - 1))
def test_equals_the_formula_on_images_of_one_class_each(pair, seed):
    rng = np.random.default_rng(seed)
    first, second = (
        {i: int(rng.integers(0, 4)) for i in np.unique(side).tolist() if i} for side in pair
    )  # 0 is no class
    assert score("mpq", *pair, first, second) == pytest.approx(
        brute_force.mpq(*pair, first, second), nan_ok=True
    )
    for c in (1, 2, 3):
        expected = brute_force.class_pq(*pair, first, second, c)
        assert score("class_pq", *pair, first, second, class_id=c) == pytest.approx(expected, nan_ok=True)


def test_a_wrong_class_is_a_miss_and_a_false_alarm():
    given, found = array(1, 1, 2), array(1, 2, 2)
    assert score("class_pq", THREE, THREE, given, found) == pytest.approx(1 / 1.5)
    assert score("class_pq", THREE, THREE, given, found, class_id=2) == pytest.approx(1 / 1.5)
    assert score("mpq", THREE, THREE, given, found) == pytest.approx(1 / 1.5)
    assert score("bpq", THREE, THREE, given, found) == 1


def test_a_class_that_only_the_prediction_has_does_not_count_in_the_mean():
    assert score("mpq", THREE, THREE, array(1, 1, 0), array(1, 1, 3)) == 1
    assert score("class_pq", THREE, THREE, array(1, 1, 0), array(1, 1, 3), class_id=3) == 0


def test_no_reference_object_is_undefined_for_both_conventions_of_pannuke():
    nothing = np.zeros_like(THREE)
    assert math.isnan(score("mpq", nothing, THREE, array(), array(1, 1, 2)))
    assert math.isnan(score("bpq", nothing, THREE, array(), array(1, 1, 2)))
    assert score("mpq", THREE, nothing, array(1, 1, 2), array()) == 0


def test_pooled_score_adds_the_objects_of_each_class():
    metric = registry.parse("mpq")
    good = LabelPair(THREE, THREE, reference_classes=array(1, 1, 2), prediction_classes=array(1, 1, 2))
    bad = LabelPair(THREE, 0 * THREE, reference_classes=array(1, 3, 3), prediction_classes=array())
    pooled = metric.score(metric.measure(good) + metric.measure(bad))
    assert pooled == pytest.approx(np.mean([2 / 2.5, 1, 0]))


def test_ignored_objects_have_no_class_that_counts():
    labels = square((9, 31), (1, 1, 5, 4), (0, 8, 5, 4))
    metric = registry.parse("mpq")
    classes = {"reference_classes": array(1, 2), "prediction_classes": array(1, 3)}
    assert metric.score(metric.measure(LabelPair(labels, labels, ignore_border=True, **classes))) == 1


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (None, "the prediction has none; pass prediction_classes"),
        (np.array([0, 1, 1]), "no class for 1 of the 3 objects, the first with id 3"),
        ({1: 1, 3: 1}, "no class for 1 of the 3 objects, the first with id 2"),
        (np.array([0, 1, 1, -1]), "from -1; needs whole numbers"),
        (np.array([0, 1, 1, 1.5]), "float64"),
        (np.zeros((2, 4), int), r"shape \(2, 4\)"),
        (np.zeros(0, int), "no class for 3 of the 3"),
    ],
)
def test_what_are_no_classes_is_refused(classes, message):
    with pytest.raises(InputError, match=message):
        score("mpq", THREE, THREE, array(1, 1, 1), classes)
