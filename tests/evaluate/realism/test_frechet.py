"""The Frechet distance against other formulas of the same number, exact cases, and its interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from cellsynth.core.rng import Key
from cellsynth.evaluate.realism import registry
from cellsynth.evaluate.realism._frechet import covariance_distance, frechet_parts
from cellsynth.evaluate.realism._sets import Both


def by_square_root(x, y):
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.trace(sqrtm(s @ t)).real
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * root


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), d=st.sampled_from([2, 5, 12]))
def test_equals_the_formula_with_a_square_root_of_the_product(seed, d):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, d)) @ rng.normal(size=(d, d))
    y = rng.normal(size=(31, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    assert sum(frechet_parts(x, y)) == pytest.approx(by_square_root(x, y), rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(7, 9), (7, 40), (40, 7), (2, 2)])
def test_fewer_images_than_features_give_the_same_number(n, m):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 12)), 2 * rng.normal(size=(m, 12)) + 1
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    assert frechet_parts(x, y)[1] == pytest.approx(covariance_distance(s, t), rel=1e-6)


@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_one_feature_has_the_distance_of_means_and_of_deviations(scale, shift):
    x = np.random.default_rng(0).normal(size=(50, 1))
    means, covariances = frechet_parts(x, scale * x + shift)
    deviation = x.std(ddof=1)
    assert means == pytest.approx((x.mean() * (scale - 1) + shift) ** 2, abs=1e-12)
    assert covariances == pytest.approx((deviation * (scale - 1)) ** 2, rel=1e-6, abs=1e-12)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_is_symmetric_and_does_not_see_a_rotation(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 6)), rng.normal(size=(25, 6)) * np.arange(1, 7)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    value = sum(frechet_parts(x, y))
    assert sum(frechet_parts(y, x)) == pytest.approx(value)
    assert sum(frechet_parts(x @ turn, y @ turn)) == pytest.approx(value)


@pytest.mark.parametrize("n", [5, 200])
def test_a_sample_against_itself_is_zero(n):
    x = np.random.default_rng(0).normal(size=(n, 20)) * np.geomspace(1, 1e-6, 20)
    assert sum(frechet_parts(x, x)) == pytest.approx(0, abs=1e-12)


def test_features_without_spread_do_no_harm():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 50, 6))
    x[:, 2], y[:, 2] = 3, 3
    x[:, 4] = 0  # without spread on one side only
    expected = sum(frechet_parts(np.delete(x, 2, 1), np.delete(y, 2, 1)))
    assert sum(frechet_parts(x, y)) == pytest.approx(expected)


def test_covariances_with_common_axes_have_an_exact_distance():
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.normal(size=(200, 200)))[0]
    a, b = np.geomspace(1, 1e-8, 200), rng.uniform(0, 1, 200)
    distance = covariance_distance((axes * a) @ axes.T, (axes * b) @ axes.T)
    assert distance == pytest.approx(((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-6)


def test_interval_holds_the_distance_of_the_populations(key):
    # Two Gaussians in 3D, 1 apart in the mean: the distance is 1, what 40 images give is more.
    metric = registry.parse({"kind": "frechet_distance", "is_standardized": False})
    rng = np.random.default_rng(0)
    held = []
    for i in range(60):
        x, y = rng.normal(size=(2, 40, 3))
        y[:, 0] += 1
        interval = metric.interval(Both(x, y, ("a",) * 3), key=key.child(i), n_resamples=200)
        held.append(interval.low <= 1 <= interval.high)
        assert interval.value == metric.score(Both(x, y, ("a",) * 3))
    assert np.mean(held) > 0.8


def test_interval_of_two_samples_of_one_population_reaches_zero():
    metric = registry.parse("frechet_distance")
    x, y = np.random.default_rng(0).normal(size=(2, 40, 6))
    interval = metric.interval(Both(x, y, ("a",) * 6), key=Key.from_seed(0), n_resamples=200)
    assert interval.low == 0
    assert interval.value > 0.2


def test_there_is_no_interval_below_two_images_per_feature_with_spread():
    metric = registry.parse("frechet_distance")
    x, y = np.random.default_rng(0).normal(size=(2, 20, 10))
    assert np.isfinite(metric.interval(Both(x, y, ("a",) * 10), key=Key.from_seed(0), n_resamples=50).high)
    few = metric.interval(Both(x[1:], y, ("a",) * 10), key=Key.from_seed(0), n_resamples=50)
    assert np.isnan([few.low, few.high]).all()
    assert few.n == 19
    x[:, 0] = y[:, 0] = 1
    flat = metric.interval(Both(x[1:], y, ("a",) * 10), key=Key.from_seed(0), n_resamples=50)
    assert np.isfinite(flat.high)
