"""What every registered metric of labels promises."""

import dataclasses
import math
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given, settings

from cellsynth.core.config import Config
from cellsynth.evaluate.segmentation import AbstractMetric, LabelPair, registry
from tests.evaluate.label_fields import pairs, random_pair, renamed, voronoi

every_metric = pytest.mark.parametrize(
    "metric", [registry.parse(k) for k in registry.names()], ids=lambda m: m.name
)

SYMMETRIC = {
    "average_precision",
    "mean_average_precision",
    "f1",
    "panoptic_quality",
    "detection_quality",
    "segmentation_quality",
    "dice",
}


def score(metric, reference, prediction):
    return metric.score(metric.measure(LabelPair(reference, prediction)))


def natural_pair(ndim):
    """Fields with the ties of IoU, which a relabelling may decide otherwise, left to other tests."""
    return random_pair(8 if ndim == 2 else 4, ndim)


@every_metric
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_perfect_prediction_has_the_best_score(metric, ndim):
    labels = voronoi(np.random.default_rng(3), (5, 31, 47)[-ndim:], 9)
    labels = renamed(np.random.default_rng(4), labels)
    best = metric.value_range[1 if metric.higher_is_better else 0]
    assert score(metric, labels, labels) == pytest.approx(best)


@every_metric
@settings(max_examples=25)
@given(pair=pairs)
def test_score_is_in_its_range_or_undefined(metric, pair):
    value = score(metric, *pair)
    low, high = metric.value_range
    assert math.isnan(value) or low <= value <= high


@every_metric
def test_nothing_against_nothing_is_undefined(metric):
    nothing = np.zeros((7, 9), np.int32)
    assert math.isnan(score(metric, nothing, nothing))


@every_metric
def test_one_empty_side_is_no_error_and_never_a_good_score(metric):
    cells, nothing = voronoi(np.random.default_rng(3), (31, 47), 5), np.zeros((31, 47), int)
    best = metric.value_range[1 if metric.higher_is_better else 0]
    for value in (score(metric, cells, nothing), score(metric, nothing, cells)):
        assert math.isnan(value) or value != best


@every_metric
@pytest.mark.parametrize("ndim", [2, 3])
def test_other_ids_do_not_change_the_score(metric, ndim):
    reference, prediction = natural_pair(ndim)
    rng = np.random.default_rng(2)
    value = score(metric, reference, prediction)
    assert not math.isnan(value)
    assert score(metric, renamed(rng, reference), renamed(rng, prediction)) == pytest.approx(value)


@every_metric
@pytest.mark.parametrize("ndim", [2, 3])
def test_flips_and_turns_do_not_change_the_score(metric, ndim):
    reference, prediction = natural_pair(ndim)
    value = score(metric, reference, prediction)
    for axis in range(ndim):
        assert score(metric, np.flip(reference, axis), np.flip(prediction, axis)) == pytest.approx(value)
    assert score(metric, reference.T, prediction.T) == pytest.approx(value)


@every_metric
@settings(max_examples=25)
@given(pair=pairs)
def test_swapping_the_sides_changes_nothing_where_the_formula_is_symmetric(metric, pair):
    reference, prediction = pair
    if metric.kind in SYMMETRIC:
        swapped = score(metric, prediction, reference)
        assert swapped == pytest.approx(score(metric, reference, prediction), nan_ok=True)


@every_metric
@settings(max_examples=25)
@given(first=pairs, second=pairs)
def test_counts_of_two_images_side_by_side_are_the_sum(metric, first, second):
    if first[0].ndim != second[0].ndim:
        second = first[::-1]
    apart = [
        np.concatenate([a, np.where(b > 0, b + 1000, 0)], axis=0) for a, b in zip(first, second, strict=True)
    ]
    total = metric.measure(LabelPair(*first)) + metric.measure(LabelPair(*second))
    both = metric.measure(LabelPair(*apart))
    for field in dataclasses.fields(total):
        np.testing.assert_allclose(getattr(total, field.name), getattr(both, field.name))


@every_metric
def test_config_survives_the_round_trip_and_is_documented(metric):
    assert registry.parse(metric.to_dict()) == metric
    assert metric.headline().endswith(".")
    text = type(metric).__doc__
    assert "Range" in text
    assert "NaN when" in text


class Recipe(Config):
    """Stands for any recipe that lists metrics."""

    metrics: tuple[Annotated[AbstractMetric, *registry.field()], ...]


@every_metric
def test_a_recipe_lists_it_by_kind_or_with_its_fields(metric):
    recipe = Recipe.parse({"metrics": [metric.kind, metric.to_dict()]})
    assert recipe.metrics == (metric, metric)
    assert Recipe.parse(recipe.to_dict()) == recipe
    assert recipe.to_dict()["metrics"][0] == metric.to_dict()


@every_metric
def test_a_failure_has_the_bad_end_of_the_range(metric):
    low, high = metric.value_range
    assert metric.worst in (low, high, None)
    assert (metric.worst is None) == math.isinf(low if metric.higher_is_better else high)


def test_counts_of_two_metrics_do_not_add():
    reference, prediction = random_pair(8)
    pair = LabelPair(reference, prediction)
    with pytest.raises(TypeError):
        registry.parse("dice").measure(pair) + registry.parse("f1").measure(pair)
