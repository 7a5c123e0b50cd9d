"""Agreement of rankings: tau against scipy, its interval, and where it is undefined."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau

from cellsynth.core.errors import InputError
from cellsynth.evaluate.statistics import ranking_agreement
from cellsynth.evaluate.statistics.agreement import kendall_tau


@given(arrays(np.int64, st.tuples(st.just(2), st.integers(2, 9)), elements=st.integers(0, 5)))
def test_tau_equals_scipy_with_ties(values):
    a, b = values.astype(float)
    expected = math.nan if len(set(a)) == 1 or len(set(b)) == 1 else kendalltau(a, b).statistic
    assert kendall_tau(a[None], b[None])[0] == pytest.approx(expected, nan_ok=True)


def scores(n, skills, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.normal(skills, noise, (n, len(skills))), columns=[f"m{i}" for i in range(len(skills))]
    )


SKILLS = (0.3, 0.5, 0.7, 0.9)


@pytest.mark.parametrize("scheme", ["mean_then_rank", "rank_then_mean"])
def test_same_order_agrees_fully_and_reversed_order_not_at_all(key, scheme):
    a = scores(12, SKILLS)
    same = ranking_agreement(a, scores(9, SKILLS, seed=1), higher_is_better=True, key=key, scheme=scheme)
    assert (same.tau, same.low, same.high) == (1, 1, 1)
    assert same.n_units == (12, 9)
    assert same.n_methods == 4
    turned = ranking_agreement(
        a, scores(9, SKILLS[::-1], seed=1), higher_is_better=True, key=key, scheme=scheme
    )
    assert (turned.tau, turned.low, turned.high) == (-1, -1, -1)


def test_tau_is_that_of_the_means(key):
    a, b = scores(6, SKILLS, 0.4), scores(7, SKILLS, 0.4, seed=3)
    agreement = ranking_agreement(a, b, higher_is_better=True, key=key)
    assert agreement.tau == pytest.approx(kendalltau(a.mean(), b.mean()).statistic)
    assert agreement.low <= agreement.tau <= agreement.high
    assert agreement.low < agreement.high
    assert agreement.distribution.shape == (2000,)


def test_sets_are_resampled_independently(key):
    # Identical noise in both sets: resampled together tau would always be 1.
    a = scores(8, (0.5, 0.5, 0.5, 0.5), 0.2)
    agreement = ranking_agreement(a, a, higher_is_better=True, key=key)
    assert agreement.tau == 1
    assert agreement.low < 0.5


def test_columns_are_aligned_by_name(key):
    a, b = scores(12, SKILLS), scores(9, SKILLS, seed=1)
    shuffled = b[["m2", "m0", "m3", "m1"]]
    failed = pd.DataFrame(False, index=b.index, columns=b.columns)
    failed["m3"] = True  # the best method on the first set crashes on the second
    straight = ranking_agreement(a, b, higher_is_better=True, key=key, failed_b=failed, worst=0.0)
    turned = ranking_agreement(
        a, shuffled, higher_is_better=True, key=key, failed_b=failed[shuffled.columns], worst=0.0
    )
    assert straight.tau == turned.tau == 0
    np.testing.assert_array_equal(straight.distribution, turned.distribution)


def test_direction_does_not_matter(key):
    a, b = scores(6, SKILLS, 0.4), scores(7, SKILLS, 0.4, seed=3)
    up = ranking_agreement(a, b, higher_is_better=True, key=key)
    down = ranking_agreement(-a, -b, higher_is_better=False, key=key)
    assert (up.tau, up.low, up.high) == (down.tau, down.low, down.high)


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 9), (12, 1), (3, 9)])
def test_a_set_of_few_images_has_a_tau_and_no_interval(key, n_a, n_b):
    agreement = ranking_agreement(scores(n_a, SKILLS), scores(n_b, SKILLS), higher_is_better=True, key=key)
    assert agreement.tau == 1
    assert math.isnan(agreement.low)
    assert agreement.distribution.size == 0


def test_two_methods_have_a_sign_and_no_interval(key):
    agreement = ranking_agreement(
        scores(9, (0.2, 0.8)), scores(9, (0.3, 0.6)), higher_is_better=True, key=key
    )
    assert agreement.tau == 1
    assert math.isnan(agreement.low)
    one = ranking_agreement(scores(9, (0.2,)), scores(9, (0.3,)), higher_is_better=True, key=key)
    assert math.isnan(one.tau)


def test_methods_that_are_all_equal_have_no_tau(key):
    flat = scores(9, SKILLS, noise=0) * 0 + 0.5
    assert math.isnan(ranking_agreement(flat, scores(9, SKILLS), higher_is_better=True, key=key).tau)


def test_a_method_without_a_score_on_one_set_is_left_out(key):
    b = scores(9, SKILLS)
    b["m0"] = np.nan
    agreement = ranking_agreement(scores(9, SKILLS), b, higher_is_better=True, key=key)
    assert agreement.n_methods == 3
    assert agreement.tau == 1


def test_interval_covers_the_tau_of_the_true_means(key):
    skills_a, skills_b = (0.3, 0.5, 0.52, 0.9, 0.7), (0.3, 0.52, 0.5, 0.7, 0.9)
    truth = kendalltau(skills_a, skills_b).statistic
    held = 0
    for trial in range(150):
        a, b = scores(20, skills_a, 0.1, 2 * trial), scores(20, skills_b, 0.1, 2 * trial + 1)
        agreement = ranking_agreement(a, b, higher_is_better=True, key=key.child(trial), n_resamples=300)
        held += agreement.low <= truth <= agreement.high
    assert held / 150 >= 0.93


def test_sets_of_other_methods_are_refused(key):
    a, b = scores(9, SKILLS), scores(9, SKILLS).rename(columns={"m0": "other"})
    with pytest.raises(InputError, match="only one of the two sets has m0, other"):
        ranking_agreement(a, b, higher_is_better=True, key=key)
    with pytest.raises(InputError, match="must hold the same ones"):
        ranking_agreement(a.to_numpy(), b.to_numpy()[:, 1:], higher_is_better=True, key=key)
