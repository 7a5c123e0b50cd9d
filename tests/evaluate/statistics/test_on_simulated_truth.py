"""What `python -m proofs statistics` measures, in short: intervals hold the truth, tests err as rarely as they say."""

from itertools import combinations

import numpy as np
import pytest

from cellsynth.evaluate.statistics import (
    bootstrap_interval,
    critical_difference,
    ranking_agreement,
    ratio,
    share_interval,
)


@pytest.mark.parametrize("spread", [1, 4])
@pytest.mark.parametrize("is_one_order", [True, False])
def test_tau_of_true_levels_is_held_also_where_methods_are_close(key, spread, is_one_order):
    held = []
    for i in range(60):
        rng = key.child(spread, i).generator()
        a = rng.normal(0, spread / np.sqrt(30), 6)
        b = a if is_one_order else a + rng.normal(0, spread / np.sqrt(30), 6)
        truth = np.mean([np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in combinations(range(6), 2)])
        found = ranking_agreement(
            a + rng.normal(0, 1, (30, 6)),
            b + rng.normal(0, 1, (40, 6)),
            higher_is_better=True,
            key=key.child("resamples", i),
            n_resamples=300,
        )
        held.append(found.low - 1e-9 <= truth <= found.high + 1e-9)
    assert np.mean(held) >= 0.93


def test_pooled_scores_are_held(key):
    held = []
    for i in range(300):
        rng = key.child("pooled", i).generator()
        n_cells = rng.poisson(rng.gamma(3, 20, 12)) + 1
        counts = np.stack([rng.binomial(n_cells, rng.beta(16, 4, 12)), n_cells], axis=1).astype(float)
        found = bootstrap_interval(counts, ratio, key=key.child(i), n_resamples=400)
        held.append(found.low <= 0.8 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_shares_are_held_and_known_by_hand(key):
    held = []
    for i in range(300):
        found = share_interval(key.child("share", i).generator().random(15) < 0.9)
        held.append(found.low <= 0.9 <= found.high)
    assert np.mean(held) >= 0.93
    all_hits = share_interval(np.ones(10, bool))
    assert (all_hits.value, all_hits.high) == (1, 1)
    assert all_hits.low == pytest.approx(0.025 ** (1 / 10))
    assert np.isnan(share_interval(np.zeros(0, bool)).value)


def test_equal_methods_differ_critically_in_at_most_five_percent(key):
    friedman, nemenyi = [], []
    for i in range(600):
        scores = key.child("equal", i).generator().beta(5, 1, (12, 5))
        found = critical_difference(scores, higher_is_better=True)
        friedman.append(found.friedman_p < 0.05)
        nemenyi.append(not found.groups or len(found.groups[0]) < 5)
    assert np.mean(friedman) <= 0.07  # exceeded once in a hundred, were 5 % true
    assert np.mean(nemenyi) <= 0.07
