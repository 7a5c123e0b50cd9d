"""Bootstrap intervals: against scipy, coverage on simulated truth, and honesty with few units."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from cellsynth.core.errors import InputError
from cellsynth.core.rng import Key
from cellsynth.evaluate.statistics import bootstrap_interval, ratio
from cellsynth.evaluate.statistics.intervals import can_resolve

SKEWED = np.random.default_rng(3).exponential(size=61)


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("statistic", [np.mean, np.median, np.std])
def test_equals_scipy_without_the_small_sample_widening(key, method, statistic):
    ours = bootstrap_interval(
        SKEWED,
        lambda v: statistic(v, axis=-1),
        key=key,
        method=method,
        n_resamples=20_000,
        is_small_sample=False,
    )
    name = {"bca": "BCa"}.get(method, method)
    theirs = stats.bootstrap(
        (SKEWED,), statistic, method=name, n_resamples=20_000, rng=np.random.default_rng(0)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.value == statistic(SKEWED)
    assert abs(ours.low - theirs.low) < 0.04 * width
    assert abs(ours.high - theirs.high) < 0.04 * width


COVERED = {
    "normal": (lambda rng, n: rng.normal(0.7, 0.1, n), 0.7),
    "exponential": (lambda rng, n: rng.exponential(1.0, n), 1.0),
    "piled-up-at-one": (lambda rng, n: rng.beta(5, 1, n), 5 / 6),
}


@pytest.mark.parametrize(
    ("name", "n"), [("normal", 10), ("exponential", 10), ("piled-up-at-one", 10), ("exponential", 20)]
)
def test_nominal_95_percent_covers_93_to_97(key, name, n):
    draw, truth = COVERED[name]
    rng = key.child(name, n).generator()
    n_trials, n_covered = 1000, 0
    for trial in range(n_trials):
        interval = bootstrap_interval(draw(rng, n), key=key.child(trial), n_resamples=400)
        n_covered += interval.low <= truth <= interval.high
    assert 0.93 <= n_covered / n_trials <= 0.97


def test_bca_is_a_little_short_for_ten_units_of_a_skewed_distribution(key):
    rng = np.random.default_rng(12)
    n_covered = 0
    for trial in range(600):
        found = bootstrap_interval(
            rng.exponential(size=10), key=key.child(trial), method="bca", n_resamples=600
        )
        n_covered += found.low <= 1 <= found.high
    assert 0.89 <= n_covered / 600 <= 0.95


@given(arrays(np.float64, st.integers(4, 30), elements=st.sampled_from([0.0, 0.25, 0.9, 0.95, 1.0])))
def test_scores_of_0_to_1_have_ends_of_0_to_1(values):
    found = bootstrap_interval(values, key=Key.from_seed(3), n_resamples=200)
    if np.isnan(found.low):
        assert len(values) < 6 or np.ptp(values) < 1e-9
        return
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert values.min() - 1e-15 <= found.low
    assert found.high <= values.max() + 1e-15


def test_shares_have_intervals_of_a_sensible_width(key):
    # Many resamples of 18 successes of 20 have no failure, and so no variance. Exact: 0.68 to 0.99.
    found = bootstrap_interval(np.r_[np.ones(18), 0, 0], key=key)
    assert 0.55 < found.low < 0.85
    assert 0.95 < found.high <= 1


def test_numbers_far_from_zero_have_the_interval_of_their_differences(key):
    far = bootstrap_interval(SKEWED + 2.0**30, key=key)
    near = bootstrap_interval(SKEWED, key=key)
    assert far.low - 2.0**30 == pytest.approx(near.low, abs=1e-5)


def test_only_a_mean_or_ratio_has_a_studentized_interval(key):
    with pytest.raises(InputError, match="take method 'bca'"):
        bootstrap_interval(SKEWED, lambda v: np.median(v, axis=-1), key=key, method="studentized")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_too_few_units_have_a_value_and_no_interval(key, n):
    interval = bootstrap_interval(np.arange(1.0, n + 1), key=key)
    assert interval.value == (n + 1) / 2
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert interval.n == n


@pytest.mark.parametrize(
    ("n", "level", "expected"), [(2, 0.5, True), (2, 0.9, False), (3, 0.9, True), (4, 0.95, True)]
)
def test_what_can_be_resolved_follows_from_the_most_extreme_resample(n, level, expected):
    assert can_resolve(n, level) is expected


def test_no_unit_at_all_is_undefined(key):
    for values in (np.empty(0), np.full(5, np.nan)):
        interval = bootstrap_interval(values, key=key)
        assert math.isnan(interval.value)
        assert interval.n == 0


def test_undefined_units_are_left_out(key):
    values = np.array([0.2, np.nan, 0.5, 0.9, 0.4, np.nan, 0.7])
    assert bootstrap_interval(values, key=key) == bootstrap_interval(values[~np.isnan(values)], key=key)
    rows = np.stack([values, values * 2], axis=1)
    assert bootstrap_interval(rows, lambda v: v.sum(axis=-1).mean(axis=-1), key=key).n == 5


def test_equal_units_say_nothing_of_others(key):
    interval = bootstrap_interval(np.full(9, 0.1), key=key)
    assert interval.value == pytest.approx(0.1)
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize("n", range(1, 8))
def test_too_few_units_to_hold_a_mean_have_no_interval(key, n):
    """All units of a symmetric distribution lie on one side of its mean with probability 2^(1 - n)."""
    interval = bootstrap_interval(np.arange(n, dtype=float), key=key)
    assert np.isnan(interval.low) == (n < 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 95.0}, "level is 95"),
        ({"n_resamples": 0}, "n_resamples is 0"),
        ({"groups": np.array([1, 1, 2, 2, None, 3], object)}, "groups has a gap"),
        ({"groups": np.array([1, 1, 2, 2, np.nan, 3])}, "groups has a gap"),
    ],
)
def test_options_that_there_are_not_are_refused(key, options, message):
    with pytest.raises(InputError, match=message):
        bootstrap_interval(np.arange(6.0), key=key, **options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, np.inf], "infinite"),
        (np.ones((6, 2)), "the mean is of one number"),
        (np.ones((2, 2, 2)), "3 axes"),
    ],
)
def test_values_that_have_no_interval_are_refused(key, values, message):
    with pytest.raises(InputError, match=message):
        bootstrap_interval(np.array(values), key=key)


def test_the_key_decides_and_nothing_else(key):
    assert bootstrap_interval(SKEWED, key=key) == bootstrap_interval(SKEWED, key=key)
    assert bootstrap_interval(SKEWED, key=key) != bootstrap_interval(SKEWED, key=Key.from_seed(8))


def test_wider_for_a_higher_level_and_narrower_with_more_units(key):
    def width(values, level=0.95):
        interval = bootstrap_interval(values, key=key, level=level)
        return interval.high - interval.low

    assert width(SKEWED, 0.8) < width(SKEWED) < width(SKEWED, 0.99)
    assert width(np.tile(SKEWED, 9)) < width(SKEWED) / 2


def test_pooled_score_of_counts_is_resampled_by_image(key):
    rng = np.random.default_rng(5)
    n_cells = rng.integers(5, 200, 40)
    counts = np.stack([rng.binomial(n_cells, 0.8), n_cells], axis=1).astype(float)

    interval = bootstrap_interval(counts, ratio, key=key)
    assert interval.value == counts[:, 0].sum() / counts[:, 1].sum()
    assert interval.low < 0.8 < interval.high
    assert interval.high - interval.low < 0.06
    bca = bootstrap_interval(counts, ratio, key=key, method="bca")
    assert (interval.low, interval.high) == pytest.approx((bca.low, bca.high), abs=0.005)


def test_memory_of_many_units_is_bounded_and_chunks_do_not_show(key, monkeypatch):
    whole = bootstrap_interval(SKEWED, key=key, n_resamples=500)
    monkeypatch.setattr("cellsynth.evaluate.statistics.intervals._CHUNK", 1_000)
    assert bootstrap_interval(SKEWED, key=key, n_resamples=500) == whole


def test_values_need_one_row_per_unit(key):
    with pytest.raises(InputError, match="3 axes"):
        bootstrap_interval(np.zeros((2, 2, 2)), key=key)


def test_groups_are_resampled_as_a_whole(key):
    # Ten groups of eight rows that are nearly the same: as good as ten units, not eighty.
    rng = key.child("groups").generator()
    of_group = rng.normal(0, 1, 10)
    groups = np.repeat(np.arange(10), 8)
    values = of_group[groups] + rng.normal(0, 1e-3, 80)
    grouped = bootstrap_interval(values, key=key, groups=groups)
    plain = bootstrap_interval(values, key=key)
    means = bootstrap_interval(np.array([values[groups == g].mean() for g in range(10)]), key=key)
    assert grouped.n == 10
    assert grouped.value == pytest.approx(plain.value)
    assert (grouped.low, grouped.high) == pytest.approx((means.low, means.high), abs=0.05)
    assert grouped.high - grouped.low > 2 * (plain.high - plain.low)


def test_intervals_over_groups_of_unequal_size_cover(key):
    hits = 0
    for i in range(1000):
        rng = key.child("cover", i).generator()
        groups = np.repeat(np.arange(24), rng.integers(1, 6, 24))
        values = rng.normal(0, 1, 24)[groups] + rng.normal(0, 0.5, len(groups))
        found = bootstrap_interval(values, key=key.child(i), groups=groups, n_resamples=400)
        hits += found.low <= 0 <= found.high
    assert 0.93 <= hits / 1000 <= 0.97


def test_groups_need_one_name_for_each_unit(key):
    with pytest.raises(InputError, match="one for each"):
        bootstrap_interval(np.zeros(5), key=key, groups=np.zeros(4))
