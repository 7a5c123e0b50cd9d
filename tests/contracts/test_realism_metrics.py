"""What every registered metric of sets of images promises."""

import dataclasses
import math
from functools import cache
from typing import Annotated

import numpy as np
import pytest

from cellsynth.core.config import Config
from cellsynth.core.rng import Key
from cellsynth.evaluate.realism import AbstractRealismMetric, registry
from tests.evaluate.picture_fields import first, rest, stacks, textures
from tests.network_weights import with_weights

SMALL = {"edge_degradation": {"n_slices_min": 10, "faintest": 0.005}}
METRICS = [registry.parse({"kind": kind, **SMALL.get(kind, {})}) for kind in registry.names()]
NETWORKS = {"fid", "kid"}
every_metric = pytest.mark.parametrize(
    "metric",
    [pytest.param(m, marks=pytest.mark.slow) if m.kind in NETWORKS else m for m in METRICS],
    ids=lambda m: m.kind,
    indirect=True,
)

SYMMETRIC = {"edge_degradation", "fid", "kid"}
SWAPPED = {"precision": "recall", "recall": "precision"}


@pytest.fixture(scope="module")
def metric(request, tmp_path_factory):
    return with_weights(request.param, tmp_path_factory.getbasetemp())


def sets(metric):
    """Reference, a candidate much like it, and one that is unlike it; few where a network looks at them."""
    return _sets(metric.is_paired, 6 if metric.kind in NETWORKS else 12)


@cache
def _sets(is_paired, n):
    if is_paired:
        return stacks(6), stacks(6, 0.5), stacks(6, 4.0)
    return textures(n), textures(n, seed=1), textures(n, grain_px=4, level=0.6, seed=2)


def is_better(metric, a, b):
    return a > b if metric.higher_is_better else a < b


@every_metric
def test_a_set_against_itself_has_the_best_score(metric):
    reference = sets(metric)[0]
    value = metric.score(metric.measure(reference, reference))
    if metric.kind in ("kernel_distance", "kid"):
        assert value <= 0  # unbiased: images are not compared with themselves
    else:
        best = 0.0 if math.isinf(metric.best) else metric.best
        assert value == pytest.approx(best, abs=1e-9)


@every_metric
def test_a_set_alike_is_better_than_one_unlike(metric):
    reference, alike, unlike = sets(metric)
    a, b = (metric.score(metric.measure(reference, other)) for other in (alike, unlike))
    assert is_better(metric, a, b)
    low, high = metric.value_range
    assert low <= a <= high
    assert low <= b <= high


@every_metric
def test_what_is_measured_of_parts_of_the_sets_adds(metric):
    reference, _, unlike = sets(metric)
    whole = metric.measure(reference, unlike)
    parts = [
        metric.measure(first(reference, 4), first(unlike, 4)),
        metric.measure(rest(reference, 4), rest(unlike, 4)),
    ]
    joined = parts[0] + parts[1]
    for field in dataclasses.fields(whole):
        a, b = getattr(joined, field.name), getattr(whole, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b)
        else:
            assert a == b
    assert metric.score(joined) == pytest.approx(metric.score(whole))


@every_metric
def test_order_of_the_images_does_not_matter(metric):
    reference, _, unlike = sets(metric)
    n = 5
    turned = [rest(s, n) for s in (reference, unlike)], [first(s, n) for s in (reference, unlike)]
    value = metric.score(metric.measure(reference, unlike))
    assert metric.score(metric.measure(*turned[0]) + metric.measure(*turned[1])) == pytest.approx(value)


@every_metric
def test_interval_has_the_score_and_is_the_same_for_the_same_key(metric):
    reference, alike, _ = sets(metric)
    measured = metric.measure(reference, alike)
    a, b = (metric.interval(measured, key=Key.from_seed(0), n_resamples=100) for _ in range(2))
    np.testing.assert_array_equal(dataclasses.astuple(a), dataclasses.astuple(b))
    assert a.value == pytest.approx(metric.score(measured))
    if metric.kind in ("frechet_distance", "fid"):  # too few images for its features
        assert math.isnan(a.low)
        assert math.isnan(a.high)
        return
    low, high = metric.value_range
    assert low <= a.low <= a.high <= high


@every_metric
def test_too_few_images_have_no_interval(metric):
    if metric.kind in ("precision", "recall"):
        pytest.skip("needs four images anyway")
    reference, alike, _ = sets(metric)
    interval = metric.interval(metric.measure(first(reference, 2), first(alike, 2)), key=Key.from_seed(0))
    assert math.isfinite(interval.value)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@every_metric
def test_swapping_the_sides_changes_nothing_where_the_formula_is_symmetric(metric):
    reference, alike, _ = sets(metric)
    # Standardized features are on the scale of the reference, so only the published form can be symmetric.
    if hasattr(metric, "is_standardized"):
        metric = metric.model_copy(update={"is_standardized": False})
    elif metric.kind not in SYMMETRIC:
        return
    fields = {**metric.to_dict(), "kind": SWAPPED.get(metric.kind, metric.kind)}
    other = registry.parse(fields)
    value = metric.score(metric.measure(reference, alike))
    assert other.score(other.measure(alike, reference)) == pytest.approx(value)


@every_metric
def test_parts_are_numbers_with_names(metric):
    reference, alike, _ = sets(metric)
    parts = metric.parts(metric.measure(reference, alike))
    assert all(isinstance(name, str) and isinstance(value, float) for name, value in parts.items())


class Recipe(Config):
    """Stands for any recipe that lists metrics."""

    metrics: tuple[Annotated[AbstractRealismMetric, *registry.field()], ...]


@every_metric
def test_a_recipe_lists_it_by_kind_or_with_its_fields(metric):
    recipe = Recipe.parse({"metrics": [metric.kind, metric.to_dict()]})
    assert recipe.metrics[1] == metric
    assert Recipe.parse(recipe.to_dict()) == recipe


@every_metric
def test_range_direction_and_edge_cases_are_said(metric):
    assert metric.value_range[0] < metric.value_range[1]
    text = type(metric).__doc__
    assert "Range" in text
    assert "NaN" in text
