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
@pytest.mark.parametrize("border", [-3.0, -1.0, 0.0, 1.0, 7.0])
def test_value_and_slope_are_continuous_where_lattice_cells_meet(axis, border):
    def at(offset: float) -> float:
        point = np.array([0.3, -0.4, 0.6])
        point[axis] = border + offset
        return noise(KEYS[1], *point)

    step = 1e-4
    assert at(-step) == pytest.approx(at(step), abs=1e-6)
    assert at(-1e-12) == pytest.approx(at(0.0), abs=1e-9)
    # The quintic is flat at a lattice plane: the slope along its axis is zero on both sides.
    assert (at(0.0) - at(-step)) / step == pytest.approx(0, abs=1e-4)
    assert (at(step) - at(0.0)) / step == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("point", "variance"),
    [
        ((2.0, -1.0, 3.0), 1 / 3),  # a lattice point: one uniform number in [-1, 1]
        ((2.0, -1.0, 3.5), 1 / 6),  # halfway along an edge: the mean of 2 of them
        ((2.0, -0.5, 3.5), 1 / 12),  # centre of a face: of 4
        ((2.5, -0.5, 3.5), 1 / 24),  # centre of a cell: of 8
    ],
)
def test_over_many_keys_the_mean_is_zero_and_the_variance_as_derived(point, variance):
    values = np.array([noise(key, *point) for key in KEYS])
    assert abs(values.mean()) < 4 * np.sqrt(variance / len(KEYS))
    assert values.var() == pytest.approx(variance, rel=0.1)


def test_neighbouring_lattice_points_are_independent():
    key = KEYS[2]
    values = np.array(
        [
            [[noise(key, float(z), float(y), float(x)) for x in range(20)] for y in range(20)]
            for z in range(10)
        ]
    )
    for axis in range(3):
        near = np.moveaxis(values, axis, 0)
        correlation = np.corrcoef(near[:-1].ravel(), near[1:].ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(near[1:].size)


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
