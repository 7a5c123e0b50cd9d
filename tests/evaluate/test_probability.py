"""Maps of probability: against pairs of voxels and a loop over thresholds, ties and empty sides included."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

from cellsynth.core.errors import InputError
from cellsynth.evaluate.probability import sweep_thresholds

levels = st.sampled_from([1, 3, 10, 1000])


def random_map(seed, n_levels):
    """A map of few or many values that knows something of the mask."""
    rng = np.random.default_rng(seed)
    mask = rng.random((7, 11)) < rng.uniform(0.05, 0.95)
    values = np.clip(0.4 * mask + rng.random((7, 11)), 0, 1)
    return (np.round(values * n_levels) / n_levels).astype(rng.choice([np.float32, np.float64])), mask


maps = st.builds(random_map, st.integers(0, 2**32 - 1), levels)


@given(maps)
def test_roc_auc_is_the_chance_of_the_right_order(given_map):
    probability, mask = given_map
    above = probability[mask][:, None] - probability[~mask][None]
    expected = ((above > 0) + (above == 0) / 2).mean() if above.size else math.nan
    assert sweep_thresholds(probability, mask).roc_auc() == pytest.approx(expected, nan_ok=True)


@given(maps)
def test_areas_equal_those_of_scikit_learn(given_map):
    probability, mask = given_map
    if not mask.any() or mask.all():
        return
    sweep = sweep_thresholds(probability, mask)
    assert sweep.roc_auc() == pytest.approx(roc_auc_score(mask.ravel(), probability.ravel()))
    assert sweep.average_precision() == pytest.approx(
        average_precision_score(mask.ravel(), probability.ravel())
    )


@given(maps)
def test_best_threshold_is_that_of_a_loop(given_map):
    probability, mask = given_map
    sweep = sweep_thresholds(probability, mask)
    values = np.unique(probability)[::-1]
    assert sweep.thresholds.tolist() == values.tolist()
    correlations = [
        1.0
        if np.array_equal(probability >= t, mask)
        else matthews_corrcoef(mask.ravel(), (probability >= t).ravel())
        for t in values
    ]
    dices = [2 * (mask & (probability >= t)).sum() / (mask.sum() + (probability >= t).sum()) for t in values]
    assert sweep.scores("mcc") == pytest.approx(correlations)
    assert sweep.scores("dice") == pytest.approx(dices)
    for by, scores in (("mcc", correlations), ("dice", dices)):
        threshold, score = sweep.best(by)
        assert score == pytest.approx(max(scores))
        assert scores[values.tolist().index(threshold)] == pytest.approx(max(scores))


@given(maps)
def test_turning_map_and_mask_around_turns_nothing_else(given_map):
    probability, mask = given_map
    forward = sweep_thresholds(probability.astype(float), mask).roc_auc()
    backward = sweep_thresholds(1 - probability.astype(float), ~mask).roc_auc()
    assert forward == pytest.approx(backward, nan_ok=True)


def test_a_perfect_map_and_its_opposite():
    mask = np.indices((5, 8))[1] < 3
    sweep = sweep_thresholds(mask * 0.5 + 0.25, mask)
    assert (sweep.roc_auc(), sweep.average_precision()) == (1, 1)
    assert sweep.best("mcc") == (0.75, 1) == sweep.best("dice")
    assert sweep_thresholds(0.75 - mask * 0.5, mask).roc_auc() == 0


def test_a_constant_map_is_chance():
    mask = np.indices((5, 8))[1] < 2
    sweep = sweep_thresholds(np.full((5, 8), 0.3), mask)
    assert sweep.roc_auc() == 0.5
    assert sweep.average_precision() == pytest.approx(mask.mean())
    assert sweep.best("mcc") == (0.3, 0)


def test_among_equal_scores_the_highest_threshold_is_taken():
    probability = np.array([[0.9, 0.8, 0.1]])
    assert sweep_thresholds(probability, np.array([[True, False, False]])).best("mcc") == (0.9, 1)
    assert sweep_thresholds(probability, np.zeros((1, 3), bool)).best("dice") == (0.9, 0)


def test_one_kind_of_voxel_has_no_order():
    nothing, everything = np.zeros((3, 5), bool), np.ones((3, 5), bool)
    probability = np.linspace(0, 1, 15).reshape(3, 5)
    assert math.isnan(sweep_thresholds(probability, nothing).roc_auc())
    assert math.isnan(sweep_thresholds(probability, nothing).average_precision())
    assert math.isnan(sweep_thresholds(probability, everything).roc_auc())
    assert sweep_thresholds(probability, everything).average_precision() == 1
    assert sweep_thresholds(probability, everything).best("mcc") == (0, 1)


MAP, MASK = np.full((3, 5), 0.5), np.ones((3, 5), bool)


@pytest.mark.parametrize(
    ("probability", "mask", "message"),
    [
        (MAP, MASK[:-1], r"shapes \(3, 5\) and \(2, 5\)"),
        (MAP[:0], MASK[:0], "at least one voxel"),
        (MAP, MASK.astype(int), "mask is int64"),
        (MASK, MASK, "probability is bool"),
        ((MAP * 255).astype(np.uint8), MASK, "divide it by its full scale"),
        (np.where(np.eye(3, 5) > 0, np.nan, MAP), MASK, "3 values of the probability are NaN"),
        (MAP * 3, MASK, "goes from 1.5 to 1.5"),
        (MAP - 1, MASK, "pass logits through a sigmoid"),
        (MAP + np.inf, MASK, "goes from inf to inf"),
    ],
)
def test_what_is_no_map_of_probability_is_refused(probability, mask, message):
    with pytest.raises(InputError, match=message):
        sweep_thresholds(probability, mask)
