"""Critical differences: by Demsar's table and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cellsynth.evaluate.statistics import critical_difference

# Critical values of Demsar (2006), Table 5a.
Q_05 = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}


@pytest.mark.parametrize("k", Q_05)
def test_the_difference_is_that_of_the_table(k):
    scores = np.random.default_rng(k).normal(size=(20, k))
    found = critical_difference(scores, higher_is_better=True)
    assert found.difference == pytest.approx(Q_05[k] * np.sqrt(k * (k + 1) / 120), rel=5e-4)


def test_mean_ranks_and_groups_by_hand():
    # a is always best, d always worst, b and c take turns.
    rows = [[0.9, 0.8, 0.7, 0.1], [0.9, 0.7, 0.8, 0.1]] * 10
    found = critical_difference(pd.DataFrame(rows, columns=list("abcd")), higher_is_better=True)
    assert found.mean_ranks.to_dict() == {"a": 1.0, "b": 2.5, "c": 2.5, "d": 4.0}
    assert found.difference == pytest.approx(1.049, abs=1e-3)
    assert found.groups == (("b", "c"),)
    assert found.friedman_p < 1e-6
    few = critical_difference(pd.DataFrame(rows[:4], columns=list("abcd")), higher_is_better=True)
    assert few.groups == (("a", "b", "c"), ("b", "c", "d"))


def test_friedman_is_that_of_scipy():
    scores = np.random.default_rng(1).normal([0, 0.2, 0.4, 0.9], 1, (15, 4))
    found = critical_difference(scores, higher_is_better=False)
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*scores.T).pvalue)


def test_failures_rank_last_and_undefined_units_are_left_out():
    scores = np.array([[0.5, 0.4, 0.3], [0.5, 0.4, np.nan], [0.5, 0.4, 0.3]])
    failed = np.zeros((3, 3), bool)
    failed[0, 0] = True
    found = critical_difference(scores, higher_is_better=True, failed=failed, worst=0.0)
    assert found.n_units == 2
    assert found.mean_ranks.to_dict() == {"0": 2.0, "1": 1.5, "2": 2.5}


@pytest.mark.parametrize("shape", [(1, 3), (5, 1), (0, 2)])
def test_too_little_to_compare_has_no_difference(shape):
    found = critical_difference(np.ones(shape), higher_is_better=True)
    assert np.isnan(found.difference)
    assert found.groups == ()


def test_equal_methods_are_one_group():
    found = critical_difference(np.ones((10, 4)), higher_is_better=True)
    assert found.groups == (("0", "1", "2", "3"),)
    assert found.friedman_p == 1
