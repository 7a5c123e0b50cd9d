"""Kernel distance, precision, recall and distance of statistics against plain formulas and hand-made sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t, wasserstein_distance

from cellsynth.core.errors import InputError
from cellsynth.evaluate.realism import registry
from cellsynth.evaluate.realism._jackknife import jackknifed
from cellsynth.evaluate.realism._manifold import is_within_manifold
from cellsynth.evaluate.realism._sets import Both, standardized
from cellsynth.evaluate.realism.statistics_distance import wasserstein
from tests.evaluate.picture_fields import textures


def both(x, y, *components):
    return Both(x, y, components or ("a",) * x.shape[1])


def raw(kind, **fields):
    return registry.parse({"kind": kind, "is_standardized": False, **fields})


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_kernel_distance_equals_sums_over_pairs(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    expected = (
        np.mean([k(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
        + np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
        - 2 * np.mean([k(a, b) for a in x for b in y])
    )
    assert raw("kernel_distance").score(both(x, y)) == pytest.approx(expected)


def test_kernel_distance_of_one_population_is_zero_on_average():
    rng = np.random.default_rng(0)
    values = [raw("kernel_distance").score(both(*rng.normal(size=(2, 12, 3)))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20


def test_subsets_agree_with_the_whole_and_with_themselves():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 4)), rng.normal(size=(300, 4)) + 0.5
    whole = raw("kernel_distance").score(both(x, y))
    some = raw("kernel_distance", subset_size=100)
    assert some.score(both(x, y)) == some.score(both(x, y))
    assert some.score(both(x, y)) == pytest.approx(whole, rel=0.05)
    assert raw("kernel_distance", subset_size=100, seed=1).score(both(x, y)) != some.score(both(x, y))


def test_resamples_of_a_kernel_distance_leave_out_pairs_of_one_image_with_itself(key):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30, 3))
    interval = raw("kernel_distance").interval(both(x, y), key=key)
    assert interval.low < 0 < interval.high
    assert interval.low < interval.value < interval.high


def test_precision_and_recall_of_a_part_of_the_variety():
    # The reference has two clusters, the candidate sits in one of them and has one stray image.
    rng = np.random.default_rng(0)
    left, right = rng.normal(0, 1, (20, 2)), rng.normal(100, 1, (20, 2))
    candidate = np.concatenate([left[:10] + 0.01, [[50.0, 50.0]]])
    reference = np.concatenate([left, right])
    assert raw("precision").score(both(reference, candidate)) == pytest.approx(10 / 11)
    assert raw("recall", k=1).score(both(reference, candidate)) <= 0.5
    # The stray image's ball reaches far: with k = 3 it covers what is near the first cluster.
    assert raw("recall").score(both(reference, candidate)) >= 0.5


def test_ball_reaches_to_the_kth_neighbour_and_includes_it():
    manifold = np.array([[0.0], [1.0], [3.0], [7.0]])
    # Third neighbours: 7, 6, 4, 7 away.
    points = np.array([[-7.0], [-7.01], [14.0], [14.01]])
    assert is_within_manifold(points, manifold, 3).tolist() == [True, False, True, False]


def test_distances_far_from_the_origin_are_not_lost():
    points = np.array([[0.0], [1.0], [3.0], [7.0]]) + 1e7
    assert is_within_manifold(points, points, 1).all()
    assert not is_within_manifold(points + 100, points, 1).any()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 9), m=st.integers(2, 9))
def test_wasserstein_equals_scipy(seed, n, m):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 5, (n, 3)).astype(float), rng.normal(size=(m, 3))
    distance, by_chance = wasserstein(x, y)
    expected = [wasserstein_distance(a, b) for a, b in zip(x.T, y.T, strict=True)]
    np.testing.assert_allclose(distance, expected, atol=1e-12)
    assert (by_chance >= 0).all()


def test_what_chance_adds_is_most_of_the_distance_of_equal_populations_and_little_of_a_large_one(key):
    x, y = key.generator().normal(size=(2, 25, 400))
    distance, by_chance = wasserstein(x, y)
    assert by_chance.mean() == pytest.approx(distance.mean(), rel=0.25)
    distance, by_chance = wasserstein(x, y + 10)
    assert by_chance.mean() < 0.03 * distance.mean()


def test_statistics_are_scaled_by_the_spread_of_the_reference_and_averaged_by_component():
    x = np.array([[0.0, 0.0, 5.0], [2.0, 20.0, 5.0]])
    y = x + np.array([1.0, 10.0, 0.0])  # one standard deviation in the first two, nothing in the third
    metric = registry.parse("statistics_distance")
    parts = metric.parts(both(x, y, "a", "b", "b"))
    assert parts == pytest.approx({"a": 1, "b": 0.5})
    assert metric.score(both(x, y, "a", "b", "b")) == pytest.approx(0.75)


def test_a_feature_without_spread_in_the_reference_takes_that_of_both():
    x, y = np.array([[3.0, 1.0], [3.0, 1.0]]), np.array([[4.0, 1.0], [4.0, 1.0]])
    a, b = standardized(both(x, y))
    np.testing.assert_allclose(b - a, [[2, 0], [2, 0]])


def test_parts_say_what_is_off():
    reference, brighter = textures(12, level=0.3), textures(12, level=0.45, seed=1)
    metric = registry.parse("statistics_distance")
    parts = metric.parts(metric.measure(reference, brighter))
    assert max(parts, key=parts.__getitem__) == "intensity"
    coarser = textures(12, level=0.3, grain_px=3, seed=1)
    parts = metric.parts(metric.measure(reference, coarser))
    assert parts["intensity"] < min(parts["spectrum"], parts["correlation"], parts["gradient"])


def test_sets_that_do_not_compare_are_refused():
    metric = registry.parse("frechet_distance")
    with pytest.raises(InputError, match="has 1 channels and 2 axes of space, the candidate 3 and 2"):
        metric.measure(textures(2), textures(2, n_channels=3))


@pytest.mark.parametrize(
    ("kind", "n"),
    [("frechet_distance", 2), ("kernel_distance", 2), ("statistics_distance", 2), ("recall", 4)],
)
def test_too_few_images_are_refused(kind, n):
    x = np.random.default_rng(0).normal(size=(n, 3))
    metric = registry.parse(kind)
    metric.score(both(x, x))
    with pytest.raises(InputError, match=f"needs {n} images in each set; one has {n - 1}"):
        metric.score(both(x, x[1:]))


def test_a_variant_is_named_by_its_features():
    assert registry.parse("frechet_distance").name == "frechet_distance[features=microscopy]"
    other = registry.parse({"kind": "frechet_distance", "features": {"kind": "microscopy", "n_rings": 8}})
    assert other.name == "frechet_distance[features=microscopy[n_rings=8]]"


def test_interval_of_statistics_begins_at_zero_where_the_sets_are_alike(key):
    metric, rng = registry.parse("statistics_distance"), np.random.default_rng(0)
    lows = []
    for i in range(40):
        x, y = rng.normal(size=(2, 15, 3))
        lows.append(metric.interval(both(x, y), key=key.child(i)).low)
    assert np.mean(np.array(lows) == 0) > 0.9
    interval = metric.interval(both(x, y + 1), key=key)
    assert 0 < interval.low < 1 < interval.high


@pytest.mark.parametrize(
    ("kind", "n", "truth"),
    [("statistics_distance", 15, 0.5), ("kernel_distance", 15, 1.34), ("frechet_distance", 20, 1)],
)
def test_intervals_hold_the_distance_of_the_populations(key, kind, n, truth):
    # Four features, half a standard deviation apart; the kernel distance is that of six times 5000 images.
    metric, held = registry.parse(kind), []
    for i in range(120):
        x, y = key.child(kind, i).generator().normal(size=(2, n, 4))
        interval = metric.interval(both(x, y + 0.5), key=key)
        held.append(interval.low <= truth <= interval.high)
    assert np.mean(held) >= 0.93


def test_more_images_than_blocks_leave_out_several_at_a_time(key):
    x, y = np.arange(130.0)[:, None], np.arange(4.0)[:, None]
    found = jackknifed(lambda x, y: x.mean(axis=0) - y.mean(axis=0), x, y, key=key, level=0.95)
    # The bias of a mean is 0 where blocks are equal, and its variance is that of the mean of each side.
    assert found.bias[0] == pytest.approx(0, abs=1)
    expected = t.isf(0.025, 3) * np.sqrt(x.var(ddof=1) / 130 + y.var(ddof=1) / 4)
    assert found.margin[0] == pytest.approx(expected, rel=0.25)


def test_shares_are_never_certain(key):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    interval = registry.parse("precision").interval(both(x, x[:20]), key=key)
    assert (interval.value, interval.high) == (1, 1)
    assert interval.low == pytest.approx(0.832, abs=0.001)  # 0.025 ** (1 / 20)
