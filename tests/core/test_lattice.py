"""Lattice noise: a smooth function of position with known statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.lattice import fill_noise, noise, uniform
from cellsynth.core.rng import Key

KEYS = np.array([Key.from_seed(1).child("noise", i).uint64() for i in range(4000)], np.uint64)
STEP = np.array([0.21, 0.13, 0.17])


def field(shape: tuple[int, int, int], origin: np.ndarray, key: np.uint64 = KEYS[0]) -> np.ndarray:
    out = np.empty(shape, np.float32)
    fill_noise(out, key, origin, STEP)
    return out


def test_values_stay_between_minus_one_and_one():
    values = field((9, 40, 50), np.array([-3.0, -2.0, 5.0]))
    assert np.abs(values).max() <= 1
    assert values.std() > 0.2


@given(st.tuples(st.integers(0, 4), st.integers(0, 16), st.integers(0, 30)))
def test_a_part_of_the_field_is_evaluated_on_its_own(start):
    origin = np.array([-0.5, -1.5, 2.0])
    whole = field((5, 17, 31), origin)
    part = field((1, 1, 1), origin + np.array(start) * STEP)
    assert part[0, 0, 0] == pytest.approx(whole[start], abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_value_and_slope_are_continuous(axis):
    # Three lattice cells, whose borders lie somewhere in between.
    step = 1e-3
    point = np.array([0.3, -0.4, 0.6])
    line = []
    for i in range(3000):
        point[axis] = -1.5 + i * step
        line.append(noise(KEYS[1], *point))
    slope = np.diff(line) / step
    assert np.abs(slope).max() < 4
    assert np.abs(np.diff(slope)).max() < 0.05


@pytest.mark.parametrize("point", [(0.0, 0.0, 0.0), (3.0, 0.5, -7.3), (0.0, 0.27, 0.81)])
def test_over_many_keys_the_mean_is_zero_and_the_spread_is_the_same_everywhere_in_a_plane(point):
    values = np.array([noise(key, *point) for key in KEYS])
    assert abs(values.mean()) < 4 * 0.25 / np.sqrt(len(KEYS))
    assert values.std() == pytest.approx(0.242, rel=0.05)


def test_no_direction_of_the_plane_is_special():
    far = 0.4
    angles = np.deg2rad([0, 22.5, 45, 67.5, 90, 135])
    here = np.array([noise(key, 0.0, 0.0, 0.0) for key in KEYS])
    there = [[noise(key, 0.0, far * np.sin(a), far * np.cos(a)) for key in KEYS] for a in angles]
    correlation = [np.corrcoef(here, values)[0, 1] for values in there]
    assert np.ptp(correlation) < 0.1
    assert 0.2 < np.mean(correlation) < 0.7


def test_the_field_stays_the_same():
    # Files are made again from their seeds, so these values must not change without a new version.
    point = (0.25, -3.5, 11.125)
    assert [round(noise(key, *point), 9) for key in KEYS[:3]] == [-0.204692974, -0.302299658, 0.065096845]


def test_fields_of_different_keys_are_independent():
    point = np.array([0.0, 0.0, 0.0])
    first, second = (field((8, 30, 40), point, key).ravel() for key in KEYS[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_uniform_numbers_fill_the_unit_interval_evenly():
    draws = np.array([uniform(KEYS[2], i, 0) for i in range(20_000)])
    assert 0 <= draws.min() < 0.001
    assert 0.999 < draws.max() < 1
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    counts = np.histogram(draws, 20, (0, 1))[0]
    assert np.sum((counts - 1000) ** 2 / 1000) < 43.8  # chi-square of 19 degrees of freedom, p = 0.001


@pytest.mark.parametrize("what", ["index", "stream", "key"])
def test_uniform_numbers_of_neighbours_are_independent(what):
    def draw(i: int, shift: int) -> float:
        places = {"key": 0, "index": i, "stream": 3}
        places[what] += shift
        key = KEYS[i % len(KEYS)] + np.uint64(places["key"])
        return uniform(key, places["index"], places["stream"])

    pairs = np.array([[draw(i, 0), draw(i, 1)] for i in range(4000)])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.055  # 3.5 standard errors
    counts = np.histogram2d(*pairs.T, 5, [(0, 1), (0, 1)])[0]
    assert np.sum((counts - 160) ** 2 / 160) < 51.2  # 24 degrees of freedom, p = 0.001
