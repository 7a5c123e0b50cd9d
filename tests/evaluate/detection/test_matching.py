"""Matching of points: gated first, one to one, as many as possible, then the least total distance."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.evaluate.detection import PointPair
from tests.evaluate.point_fields import matched_densely, random_points, seeds, swapped

radii = st.sampled_from([0.5, 3.0, 8.0, 12.0, 200.0])


@given(seeds, radii)
def test_equals_one_dense_assignment(drawn, radius):
    pair = random_points(*drawn)
    n, total = matched_densely(pair.reference, pair.prediction, radius)
    matching = pair.match(radius, "px")
    assert len(matching) == n
    assert matching.distances.sum() == pytest.approx(total)


@given(seeds, radii)
def test_is_one_to_one_within_the_radius_and_reports_the_distance(drawn, radius):
    pair = random_points(*drawn)
    matching = pair.match(radius, "px")
    assert len(set(matching.reference)) == len(set(matching.prediction)) == len(matching)
    assert (np.diff(matching.reference) > 0).all()
    offsets = pair.reference[matching.reference] - pair.prediction[matching.prediction]
    np.testing.assert_allclose(matching.distances, np.linalg.norm(offsets, axis=1))
    assert (matching.distances <= radius).all()


@given(seeds, radii)
def test_swapping_the_sides_swaps_the_matching(drawn, radius):
    pair = random_points(*drawn)
    matching, other = pair.match(radius, "px"), swapped(pair).match(radius, "px")
    assert len(matching) == len(other)
    assert matching.distances.sum() == pytest.approx(other.distances.sum())


@given(seeds)
def test_a_larger_radius_never_matches_fewer(drawn):
    pair = random_points(*drawn)
    counts = [len(pair.match(radius, "px")) for radius in (1.0, 4.0, 16.0, 64.0)]
    assert counts == sorted(counts)


def test_a_far_pair_does_not_take_the_partner_of_a_near_one():
    # Over all pairs the least total distance is 0 + 21.6, and the radius then leaves one match of two.
    reference, prediction = np.array([[0.0, 0.0], [0.0, 11.0]]), np.array([[0.0, 11.0], [5.0, 21.0]])
    matching = PointPair(reference, prediction).match(12, "px")
    assert list(zip(matching.reference, matching.prediction, strict=True)) == [(0, 0), (1, 1)]


def test_more_matches_win_over_a_nearer_one():
    # 10 and 11 are nearest to each other; taking them would leave 1 and 20 alone.
    reference, prediction = np.array([[0.0, 10.0], [0.0, 20.0]]), np.array([[0.0, 11.0], [0.0, 1.0]])
    matching = PointPair(reference, prediction).match(9.5, "px")
    assert list(zip(matching.reference, matching.prediction, strict=True)) == [(0, 1), (1, 0)]


def test_the_radius_itself_is_within():
    pair = PointPair(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    assert len(pair.match(5, "px")) == 1
    assert len(pair.match(4.999999, "px")) == 0


def test_points_at_one_place_match_one_to_one():
    same = np.zeros((4, 3))
    assert len(PointPair(same, same[:3]).match(1, "px")) == 3


def test_lengths_are_those_of_the_unit():
    reference, prediction = np.array([[0.0, 0.0, 0.0]]), np.array([[2.0, 0.0, 0.0]])
    pair = PointPair(reference, prediction, voxel_um=(5.0, 1.0, 1.0))
    assert pair.match(3, "px").distances.tolist() == [2]
    assert len(pair.match(3, "um")) == 0
    assert pair.match(11, "um").distances.tolist() == [10]
    in_um = PointPair(reference * 5, prediction * 5, unit="um", voxel_um=(5.0, 1.0, 1.0))
    assert in_um.match(11, "um").distances.tolist() == [10]
    assert in_um.match(3, "px").distances.tolist() == [2]


def test_a_match_is_computed_once():
    pair = PointPair(np.zeros((2, 2)), np.ones((3, 2)))
    assert pair.match(2, "px") is pair.match(2, "px")


@pytest.mark.parametrize("size_px", [5000, 1000])
def test_ten_thousand_points_take_seconds_and_no_square_of_memory(size_px):
    rng = np.random.default_rng(0)
    reference = rng.uniform(0, size_px, (10_000, 2))
    prediction = reference + rng.normal(0, 3, reference.shape)
    start = time.perf_counter()
    matching = PointPair(reference, prediction).match(12, "px")
    assert time.perf_counter() - start < 20  # 0.05 to 1 s on a quiet machine
    assert len(matching) > 9900
