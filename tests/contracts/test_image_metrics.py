"""What every registered metric of aligned images promises."""

import dataclasses
import math
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellsynth.core.config import Config
from cellsynth.evaluate.image_quality import AbstractImageMetric, ImagePair, registry
from tests.evaluate.image_fields import waves
from tests.network_weights import with_weights

every_metric = pytest.mark.parametrize(
    "metric",
    [*map(registry.parse, registry.names()), registry.parse({"kind": "ms_gmsd", "is_chromatic": True})],
    ids=lambda m: m.name,
    indirect=True,
)

SHAPE = (163, 181)  # the smallest that five scales allow, and odd
SYMMETRIC = {"psnr", "ssim", "ms_ssim", "ms_gmsd", "haarpsi", "lpips"}


@pytest.fixture(scope="module")
def metric(request, tmp_path_factory):
    return with_weights(request.param, tmp_path_factory.getbasetemp())


def score(metric, reference, candidate, data_range=1.0):
    return metric.score(metric.measure(ImagePair(reference, candidate, data_range)))


def noisy(image, sd):
    return np.clip(image + np.random.default_rng(3).normal(0, sd, image.shape), 0, 1)


def is_better(metric, a, b):
    return a > b if metric.higher_is_better else a < b


@every_metric
@pytest.mark.parametrize(
    "make", [lambda: waves(SHAPE, 3)[0], lambda: np.zeros((3, *SHAPE)), lambda: np.ones((3, *SHAPE))]
)
def test_identical_images_have_the_best_score(metric, make):
    image = make()
    best = 0.0 if math.isinf(metric.best) and not metric.higher_is_better else metric.best
    assert score(metric, image, image) == pytest.approx(best)


@every_metric
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), sd=st.sampled_from([0.0, 0.02, 0.5]), level=st.floats(0, 1))
def test_score_is_in_its_range(metric, seed, sd, level):
    rng = np.random.default_rng(seed)
    reference = np.clip(level + rng.normal(0, sd, (3, *SHAPE)), 0, 1)
    value = score(metric, reference, rng.random((3, *SHAPE)))
    low, high = metric.value_range
    assert math.isnan(value) or low <= value <= high
    assert not math.isnan(value) or metric.kind == "nrmse"


@every_metric
def test_more_noise_is_worse(metric):
    image = waves(SHAPE, 3)[0]
    a, b, c = (score(metric, image, noisy(image, sd)) for sd in (0.01, 0.05, 0.2))
    assert is_better(metric, a, b)
    assert is_better(metric, b, c)


@every_metric
def test_swapping_the_sides_changes_nothing_where_the_formula_is_symmetric(metric):
    reference, candidate = waves(SHAPE, 3)
    if metric.kind in SYMMETRIC:
        assert score(metric, candidate, reference) == pytest.approx(score(metric, reference, candidate))


@every_metric
@pytest.mark.parametrize(
    ("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.int32, 4095), (np.float32, 7.0)]
)
def test_score_depends_on_the_range_and_not_on_the_dtype(metric, dtype, top):
    levels = 16  # divides none of the ranges exactly, but rounding is the same on both sides
    pair = [np.round(image * levels) / levels for image in waves(SHAPE, 3)]
    expected = score(metric, *pair)
    cast = [np.round(image * top).astype(dtype) if top > 7 else (image * top).astype(dtype) for image in pair]
    assert score(metric, *cast, top) == pytest.approx(expected, rel=0.01)


@every_metric
def test_a_range_that_starts_elsewhere_is_shifted(metric):
    reference, candidate = waves(SHAPE, 3)
    shifted = score(metric, 2 * reference - 1, 2 * candidate - 1, (-1.0, 1.0))
    assert shifted == pytest.approx(score(metric, reference, candidate))


@every_metric
def test_what_several_images_contribute_adds(metric):
    reference, candidate = waves(SHAPE, 3)
    one = metric.measure(ImagePair(reference, candidate, 1))
    three = one + one + one
    assert metric.score(three) == pytest.approx(metric.score(one))
    for field in dataclasses.fields(one):
        assert getattr(three, field.name) == pytest.approx(3 * getattr(one, field.name))


class Recipe(Config):
    """Stands for any recipe that lists metrics."""

    metrics: tuple[Annotated[AbstractImageMetric, *registry.field()], ...]


@every_metric
def test_a_recipe_lists_it_by_kind_or_with_its_fields(metric):
    recipe = Recipe.parse({"metrics": [metric.kind, metric.to_dict()]})
    assert recipe.metrics[1] == metric
    assert Recipe.parse(recipe.to_dict()) == recipe


@every_metric
def test_range_direction_and_edge_cases_are_said(metric):
    assert metric.value_range[0] < metric.value_range[1]
    assert "Range" in type(metric).__doc__
    assert "identical images" in type(metric).__doc__
    assert "NaN" in type(metric).__doc__
