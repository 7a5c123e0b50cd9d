"""What every registered metric of labels promises."""

import dataclasses
import math
from collections import Counter
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given, settings

from cellsynth.core.config import Config
from cellsynth.core.errors import InputError
from cellsynth.evaluate.cards import metric_cards
from cellsynth.evaluate.counts import MeanCounts
from cellsynth.evaluate.naming import parse_metric
from cellsynth.evaluate.segmentation import AbstractMetric, LabelPair, registry
from cellsynth.evaluate.table import default_metrics
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
    "iou",
    "mean_iou",
    "accuracy",
    "matthews_correlation",
    "sorted_average_precision",
    "aggregated_jaccard_plus",
    "ensemble_dice",
    "boundary_f1",
    "hausdorff95",
    "mean_surface_distance",
    "class_pq",
}

OUTLINES = {"boundary_f1", "hausdorff95", "mean_surface_distance"}
"""Metrics that see across the seam where two images are put side by side."""

MIRRORED = {
    "precision": "recall",
    "splits": "merges",
    "misses": "false_alarms",
}
"""What a metric becomes when the sides are swapped."""

BLIND = {"specificity", "splits", "merges", "misses", "false_alarms"}
"""Metrics that one kind of failure leaves perfect, as their docstrings say."""


def pair_of(metric, reference, prediction):
    """A pair as the metric needs it; every object is of class 1."""
    if not metric.needs_classes:
        return LabelPair(reference, prediction)
    first, second = (dict.fromkeys(np.unique(side).tolist(), 1) for side in (reference, prediction))
    return LabelPair(reference, prediction, reference_classes=first, prediction_classes=second)


def score(metric, reference, prediction):
    return metric.score(metric.measure(pair_of(metric, reference, prediction)))


def best_of(metric):
    return metric.value_range[1 if metric.higher_is_better else 0]


def natural_pair(ndim):
    """Fields with the ties of IoU, which a relabelling may decide otherwise, left to other tests."""
    return random_pair(8 if ndim == 2 else 4, ndim)


@every_metric
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_perfect_prediction_has_the_best_score(metric, ndim):
    labels = voronoi(np.random.default_rng(3), (5, 31, 47)[-ndim:], 9)
    labels = renamed(np.random.default_rng(4), labels)
    assert score(metric, labels, labels) == pytest.approx(best_of(metric))


@every_metric
@settings(max_examples=25)
@given(pair=pairs)
def test_score_is_in_its_range_or_undefined(metric, pair):
    value = score(metric, *pair)
    low, high = metric.value_range
    assert math.isnan(value) or low <= value <= high


@every_metric
@pytest.mark.parametrize("shape", [(7, 9), (3, 7, 9), (1, 1)])
def test_nothing_against_nothing_has_the_score_that_the_metric_says(metric, shape):
    nothing = np.zeros(shape, np.int32)
    assert score(metric, nothing, nothing) == pytest.approx(metric.both_empty, nan_ok=True)


@every_metric
def test_one_empty_side_is_no_error_and_never_a_good_score(metric):
    cells, nothing = voronoi(np.random.default_rng(3), (31, 47), 5), np.zeros((31, 47), int)
    values = score(metric, cells, nothing), score(metric, nothing, cells)
    if metric.kind not in BLIND:
        assert not any(value == pytest.approx(best_of(metric)) for value in values)


@every_metric
@pytest.mark.parametrize("dtype", [np.uint32, np.int64], ids=lambda d: d.__name__)
def test_more_objects_than_sixteen_bits_hold_are_all_counted(metric, dtype):
    n = 70_000
    reference = np.zeros((2, 2 * n), dtype)  # apart from each other, so that each has an outline
    reference[0, ::2] = np.arange(1, n + 1)
    reference[0, -2] = 2**31
    shifted = np.where(reference > 0, 2**31 + 1 - reference.astype(np.int64), 0)
    assert score(metric, reference, shifted) == pytest.approx(best_of(metric))


@every_metric
def test_a_single_pixel_is_an_image(metric):
    value = score(metric, np.array([[4]]), np.array([[9]]))
    assert math.isnan(value) or value == best_of(metric)


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
def test_swapping_the_sides_does_what_the_formula_says(metric, pair):
    reference, prediction = pair
    if metric.kind in SYMMETRIC:
        swapped = score(metric, prediction, reference)
        assert swapped == pytest.approx(score(metric, reference, prediction), nan_ok=True)
    if metric.kind in MIRRORED:
        mirrored = score(registry.parse(MIRRORED[metric.kind]), prediction, reference)
        assert mirrored == pytest.approx(score(metric, reference, prediction), nan_ok=True)


@every_metric
@settings(max_examples=25)
@given(first=pairs, second=pairs)
def test_counts_of_two_images_side_by_side_are_the_sum(metric, first, second):
    if first[0].ndim != second[0].ndim:
        second = first[::-1]
    if metric.kind in OUTLINES:
        gap = [(0, 40), *[(0, 0)] * (first[0].ndim - 1)]
        first = [np.pad(np.pad(side, 1), gap) for side in first]
        second = [np.pad(side, 1) for side in second]
        if not all(side.any() for side in (*first, *second)):
            return  # an image with one empty side is undefined, and beside another it is not
    apart = [
        np.concatenate([a, np.where(b > 0, b + 1000, 0)], axis=0) for a, b in zip(first, second, strict=True)
    ]
    total = metric.measure(pair_of(metric, *first)) + metric.measure(pair_of(metric, *second))
    both = metric.measure(pair_of(metric, *apart))
    assert_same_counts(total, both)


def assert_same_counts(total, both):
    """Equal field by field; tuples in any order. Numbers of images are two and one, and so are means over them."""
    if isinstance(total, MeanCounts):
        assert (total.n, both.n) == (2, 1)
        return
    for field in dataclasses.fields(total):
        a, b = getattr(total, field.name), getattr(both, field.name)
        if dataclasses.is_dataclass(a):
            assert_same_counts(a, b)
        elif isinstance(a, Counter):
            assert a == pytest.approx(b)
        elif field.name == "n_images":
            assert (a, b) == (2, 1)
        else:
            a, b = (sorted(v) if isinstance(v, tuple) else v for v in (a, b))
            np.testing.assert_allclose(a, b)


@every_metric
def test_config_survives_the_round_trip_and_is_documented(metric):
    assert registry.parse(metric.to_dict()) == metric
    assert metric.headline().endswith(".")
    text = type(metric).__doc__
    assert "Range" in text
    assert "NaN when" in text or "never NaN" in text
    assert math.isnan(metric.both_empty) or "when neither side has" in text
    assert "References" in text


@every_metric
def test_card_knows_everything_of_it(metric):
    card = metric_cards(f"segmentation/{metric.kind}")[0]
    assert card.definition.endswith(".")
    assert len(card.definition) > 30
    assert card.edge_cases.startswith("Range ")
    assert card.sources
    assert all(parameter.text for parameter in card.parameters)
    assert (card.value_range, card.higher_is_better) == (metric.value_range, metric.higher_is_better)
    assert "]_" not in card.to_text()


@every_metric
def test_name_in_tables_leads_back_to_it(metric):
    assert parse_metric(metric.name) == metric
    assert parse_metric(metric.kind) == metric


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


@every_metric
def test_classes_are_asked_for_where_they_are_needed_and_only_there(metric):
    pair = LabelPair(*random_pair(8))
    if metric.needs_classes:
        with pytest.raises(InputError, match="pass reference_classes"):
            metric.measure(pair)
        assert metric.name not in {m.name for m in default_metrics()}
    else:
        metric.measure(pair)


def test_counts_of_two_metrics_do_not_add():
    reference, prediction = random_pair(8)
    pair = LabelPair(reference, prediction)
    with pytest.raises(TypeError):
        registry.parse("dice").measure(pair) + registry.parse("f1").measure(pair)


def test_every_card_of_every_family_names_a_source():
    assert not [f"{card.family}/{card.kind}" for card in metric_cards() if not card.sources]
