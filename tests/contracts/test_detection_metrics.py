"""What every registered metric of points promises."""

import dataclasses
import math
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given, settings

from cellsynth.core.config import Config
from cellsynth.evaluate.detection import AbstractDetectionMetric, PointPair, registry
from tests.evaluate.point_fields import random_points, seeds, swapped

every_metric = pytest.mark.parametrize(
    "metric", [registry.parse(k) for k in registry.names()], ids=lambda m: m.name
)

SYMMETRIC = {"f1", "localisation_error", "class_f1", "class_accuracy"}


def score(metric, pair):
    return metric.score(metric.measure(pair))


def same(pair, change):
    """The pair with both sides changed alike."""
    return PointPair(
        change(pair.reference),
        change(pair.prediction),
        reference_classes=pair.reference_classes,
        prediction_classes=pair.prediction_classes,
    )


def against_itself(pair):
    classes = pair.reference_classes
    return PointPair(pair.reference, pair.reference, reference_classes=classes, prediction_classes=classes)


@every_metric
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_perfect_prediction_has_the_best_score(metric, ndim):
    assert score(metric, against_itself(random_points(5, ndim))) == metric.best


@every_metric
@settings(max_examples=25)
@given(drawn=seeds)
def test_score_is_in_its_range_or_undefined(metric, drawn):
    pair = random_points(*drawn)
    value = score(metric, pair)
    low, high = metric.value_range
    assert math.isnan(value) or low <= value <= high


@every_metric
@settings(max_examples=25)
@given(drawn=seeds)
def test_swapping_the_sides_changes_nothing_where_the_formula_is_symmetric(metric, drawn):
    pair = random_points(*drawn)
    if metric.kind in SYMMETRIC:
        assert score(metric, swapped(pair)) == pytest.approx(score(metric, pair), nan_ok=True)


@every_metric
@settings(max_examples=25)
@given(drawn=seeds)
def test_shifts_and_mirrors_do_not_change_the_score(metric, drawn):
    pair = random_points(*drawn)
    value = score(metric, pair)
    for change in (lambda p: p + 1000.0, lambda p: -p, lambda p: p[:, ::-1].copy()):
        assert score(metric, same(pair, change)) == pytest.approx(value, nan_ok=True)


@every_metric
@pytest.mark.parametrize("ndim", [2, 3])
def test_order_of_points_does_not_matter(metric, ndim):
    pair, rng = random_points(6, ndim), np.random.default_rng(1)
    i, j = rng.permutation(len(pair.reference)), rng.permutation(len(pair.prediction))
    assert pair.reference_classes is not None
    assert pair.prediction_classes is not None
    shuffled = PointPair(
        pair.reference[i],
        pair.prediction[j],
        reference_classes=pair.reference_classes[i],
        prediction_classes=pair.prediction_classes[j],
    )
    assert score(metric, shuffled) == pytest.approx(score(metric, pair))


@every_metric
@settings(max_examples=25)
@given(first=seeds, second=seeds)
def test_counts_of_two_images_side_by_side_are_the_sum(metric, first, second):
    first, second = random_points(*first), random_points(*second)
    if first.reference.shape[1] != second.reference.shape[1]:
        second = against_itself(first)
    sides = [
        np.concatenate([a, b + 10_000.0])
        for a, b in ((first.reference, second.reference), (first.prediction, second.prediction))
    ]
    classes = [
        np.concatenate(c)
        for c in (
            (first.reference_classes, second.reference_classes),
            (first.prediction_classes, second.prediction_classes),
        )
    ]
    both = PointPair(*sides, reference_classes=classes[0], prediction_classes=classes[1])
    total, together = metric.measure(first) + metric.measure(second), metric.measure(both)
    for field in dataclasses.fields(total):
        assert getattr(total, field.name) == pytest.approx(getattr(together, field.name))
    assert metric.score(total) == pytest.approx(metric.score(together), nan_ok=True)


class Recipe(Config):
    """Stands for any recipe that lists metrics."""

    metrics: tuple[Annotated[AbstractDetectionMetric, *registry.field()], ...]


@every_metric
def test_a_recipe_lists_it_by_kind_or_with_its_fields(metric):
    recipe = Recipe.parse({"metrics": [metric.kind, metric.to_dict()]})
    assert recipe.metrics == (metric, metric)
    assert Recipe.parse(recipe.to_dict()) == recipe


@every_metric
def test_range_and_direction_are_said(metric):
    low, high = metric.value_range
    assert low < high
    assert metric.worst in (low, high, None)
    assert "Range" in type(metric).__doc__
    assert metric.unit in ("", "px", "um")
