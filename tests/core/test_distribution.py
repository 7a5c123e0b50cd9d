"""Distribution: four spellings of one thing, and draws that follow it."""

import numpy as np
import pytest

from cellsynth.core.config import Config
from cellsynth.core.distribution import Distribution
from cellsynth.core.errors import RecipeError


class Holder(Config):
    size: Distribution = Distribution(median=1.0)


SPELLINGS = [
    5.0,
    [4.0, 7.0],
    {"median": 5.0, "log_sd": 0.2},
    {"median": 5.0, "log_sd": 0.2, "low": 4.0, "high": 9.0},
    {"quantiles": [2.0, 4.0, 5.0, 9.0]},
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_each_spelling_comes_back_as_it_was(spelling):
    config = Holder.parse({"size": spelling})
    assert config.to_dict() == {"size": spelling}
    assert Holder.parse(config.to_dict()) == config


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ([7, 4], "low 7.0 is above high 4.0"),
        ([1, 2, 3], "two numbers"),
        ({"log_sd": 0.2}, "give a number"),
        ({"low": 2}, "give a number"),
        (-3, "greater than 0"),
        (True, "size"),
        ("wide", "size"),
        ({"quantiles": [3, 2]}, "ascending"),
        ({"quantiles": [3]}, "two or more"),
        ({"quantiles": [2, 3], "median": 2}, "quantiles say all"),
        ({"median": 5, "logsd": 0.2}, "did you mean 'log_sd'"),
    ],
)
def test_what_is_no_distribution_is_refused(spelling, reason):
    with pytest.raises(RecipeError, match=reason):
        Holder.parse({"size": spelling})


def test_a_number_is_always_the_same(key):
    assert set(Distribution.parse({"median": 5}).sample(9, key.generator())) == {5.0}


def test_a_range_is_uniform(key):
    draws = Distribution(low=4, high=7).sample(20_000, key.generator())
    assert 4 <= draws.min() < 4.01
    assert 6.99 < draws.max() <= 7
    assert draws.mean() == pytest.approx(5.5, abs=0.03)
    assert draws.std() == pytest.approx(3 / 12**0.5, rel=0.02)


def test_a_median_and_a_spread_are_log_normal(key):
    law = Distribution(median=5, log_sd=0.3)
    logs = np.log(law.sample(20_000, key.generator()))
    assert np.median(logs) == pytest.approx(np.log(5), abs=0.01)
    assert logs.std() == pytest.approx(0.3, rel=0.03)
    assert law.mean == pytest.approx(5 * np.exp(0.045))
    assert np.exp(logs).mean() == pytest.approx(law.mean, rel=0.01)
    assert law.upper == pytest.approx(5 * np.exp(0.9))


def test_values_beyond_a_limit_are_moved_to_it(key):
    law = Distribution(median=5, log_sd=0.5, low=4, high=6)
    draws = law.sample(2000, key.generator())
    assert (draws.min(), draws.max()) == (4, 6)
    assert (draws == 6).mean() == pytest.approx(0.358, abs=0.04)  # 1 - Phi(log(6 / 5) / 0.5)
    assert law.upper == 6


def test_measured_quantiles_are_met(key):
    draws = Distribution.parse({"quantiles": [2, 4, 5, 9]}).sample(20_000, key.generator())
    assert np.quantile(draws, [0, 1 / 3, 2 / 3, 1]) == pytest.approx([2, 4, 5, 9], rel=0.01)


def test_shares_are_turned_into_values():
    assert Distribution(low=4, high=8).at(np.array([0, 0.25, 1])).tolist() == [4, 5, 8]
    assert Distribution(median=5, log_sd=0.1).at(np.array([0.5]))[0] == pytest.approx(5)
    # Half way between two quantiles lies their geometric mean.
    assert Distribution.parse({"quantiles": [1, 4]}).at(np.array([0.5]))[0] == pytest.approx(2)
