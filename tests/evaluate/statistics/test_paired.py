"""Paired tests: Holm by hand, effect sizes, error rates, and the differences that are all zero."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from cellsynth.core.errors import InputError
from cellsynth.evaluate.statistics import holm, paired_gain, paired_tests
from cellsynth.evaluate.statistics.paired import rank_biserial, signed_rank_p


def test_holm_equals_the_example_computed_by_hand():
    # Sorted .005 .01 .03 .04 times 4 3 2 1 = .02 .03 .06 .04; the last may not fall below the one before.
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


def test_holm_does_not_count_tests_that_were_not_made():
    np.testing.assert_allclose(holm(np.array([0.02, np.nan, 0.5])), [0.04, np.nan, 0.5])
    assert holm(np.empty(0)).size == 0
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]


@given(arrays(float, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_keeps_the_order_and_lies_between_no_correction_and_bonferroni(p):
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(p * len(p), 1)).all()
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()


def test_signed_rank_p_equals_the_exact_count_of_signs():
    differences = np.array([0.1, 0.2, 0.3, 0.4, -0.05])
    assert signed_rank_p(differences) == pytest.approx(2 * 2 / 2**5)
    assert signed_rank_p(differences, "greater") == pytest.approx(2 / 2**5)
    assert signed_rank_p(differences, "less") > 0.9


def test_rank_biserial_by_hand():
    assert rank_biserial(np.array([3.0, -1.0, 2.0])) == pytest.approx((3 + 2 - 1) / 6)
    assert rank_biserial(np.array([1.0, 5.0])) == 1
    assert rank_biserial(np.array([1.0, -1.0, 0.0])) == 0


@given(arrays(float, st.integers(1, 20), elements=st.floats(-1, 1, width=16)))
def test_effect_turns_with_the_sign_and_stays_in_range(differences):
    effect = rank_biserial(differences)
    assert -1 <= effect <= 1
    assert rank_biserial(-differences) == pytest.approx(-effect)
    assert 0 <= signed_rank_p(differences) <= 1


def test_no_difference_is_no_evidence_and_no_unit_is_undefined(key):
    same = np.full(8, 0.5)
    gain = paired_gain(same, same, key=key)
    assert (gain.value, gain.p, gain.effect, gain.n) == (0, 1, 0, 8)
    assert math.isnan(gain.low)  # all alike
    nothing = paired_gain(np.empty(0), np.empty(0), key=key)
    assert all(math.isnan(x) for x in (nothing.value, nothing.low, nothing.p, nothing.effect))
    one = paired_gain(np.array([0.6]), np.array([0.5]), key=key)
    assert (one.p, one.effect) == (1, 1)
    assert math.isnan(one.low)


def test_gain_is_positive_for_the_better_side_in_both_directions(key):
    rng = np.random.default_rng(0)
    before = rng.uniform(0.4, 0.8, 25)
    after = before + rng.normal(0.05, 0.03, 25)
    up = paired_gain(after, before, key=key, alternative="greater")
    down = paired_gain(-after, -before, key=key, alternative="greater", higher_is_better=False)
    assert up == down
    assert 0.04 < up.low < up.value < up.high < 0.08
    assert up.p < 0.001 < 0.9 < up.effect
    assert paired_gain(before, after, key=key, alternative="greater").p > 0.99


def test_units_that_lack_a_side_are_left_out(key):
    after, before = np.array([0.5, np.nan, 0.7, 0.8]), np.array([0.4, 0.5, np.nan, 0.6])
    assert paired_gain(after, before, key=key).n == 2


def test_sides_of_unequal_length_are_refused(key):
    with pytest.raises(InputError, match="pair them first"):
        paired_gain(np.zeros(3), np.zeros(4), key=key)


@pytest.mark.parametrize("n", [12, 60])
def test_type_one_error_is_at_most_five_percent(n):
    rng = np.random.default_rng(4)
    p = np.array([signed_rank_p(rng.normal(size=n)) for _ in range(2000)])
    assert 0.035 <= (p < 0.05).mean() <= 0.06


def test_family_wise_error_of_many_equal_methods_is_at_most_five_percent(key):
    rng, n_trials, n_wrong = np.random.default_rng(5), 150, 0
    for trial in range(n_trials):
        scores = rng.normal(0.7, 0.1, (15, 4))
        table = paired_tests(scores, higher_is_better=True, key=key.child(trial), n_resamples=20)
        n_wrong += (table["p_holm"] < 0.05).any()
    assert n_wrong / n_trials <= 0.09  # 5 % and twice its standard error


def test_table_has_every_pair_with_holm_over_all_of_them(key):
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.normal((0.5, 0.6, 0.8), 0.1, (20, 3)), columns=["a", "b", "c"])
    table = paired_tests(scores, higher_is_better=True, key=key)
    assert list(zip(table["method_a"], table["method_b"], strict=True)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    for row in table.itertuples():
        expected = stats.wilcoxon(scores[row.method_a], scores[row.method_b]).pvalue
        assert row.p == pytest.approx(expected)
        assert row.mean_difference == pytest.approx((scores[row.method_a] - scores[row.method_b]).mean())
        assert row.low < row.mean_difference < row.high
        assert row.n == 20
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))
    assert (table["effect"] < 0).all()
    lower = paired_tests(scores, higher_is_better=False, key=key)
    np.testing.assert_allclose(lower["mean_difference"], -table["mean_difference"])


def test_failures_count_against_a_method(key):
    scores = pd.DataFrame({"a": [0.9] * 8, "b": [0.5] * 8})
    failed = pd.DataFrame({"a": [True] * 8, "b": [False] * 8})
    table = paired_tests(scores, higher_is_better=True, key=key, failed=failed, worst=0.0)
    assert table.loc[0, "mean_difference"] == pytest.approx(-0.5)


def test_one_method_has_no_pair(key):
    table = paired_tests(np.ones((5, 1)), higher_is_better=True, key=key)
    assert table.empty
    assert "p_holm" in table.columns


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("n", [1, 5, 8, 30, 50])
def test_p_without_ties_is_that_of_scipy(n, alternative):
    d = np.random.default_rng(n).normal(0.2, 1, n)
    expected = stats.wilcoxon(d, alternative=alternative, method="exact").pvalue
    assert signed_rank_p(d, alternative) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_p_with_ties_counts_all_signs(alternative):
    d = np.array([1.0, -1, 2, 2, -3, 3, 3, 4, 1])
    ranks = stats.rankdata(np.abs(d))
    sums = np.array(
        [sum(r for r, s in zip(ranks, signs, strict=True) if s) for signs in product([0, 1], repeat=9)]
    )
    at = ranks[d > 0].sum()
    high, low = np.mean(sums >= at), np.mean(sums <= at)
    expected = {"greater": high, "less": low, "two-sided": min(1, 2 * min(high, low))}[alternative]
    assert signed_rank_p(d, alternative) == pytest.approx(expected, abs=1e-12)
