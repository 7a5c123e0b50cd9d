"""Packing: nothing overlaps, as dense as balls can be, and always the same."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellsynth.core.errors import RecipeError
from cellsynth.core.field import LatticeField
from cellsynth.labels._contact import contact, squared, support
from cellsynth.labels._packing import OVERLAP, pack, scattered
from cellsynth.labels._rotations import random_rotations


def form_of(axes, rotation):
    form = np.empty(6)
    squared(np.array(axes, float), np.array(rotation, float), 1.0, form)
    return form


def bodies(n, seed=0, ratio=(0.6, 1.0), radius=(4.0, 6.0)):
    rng = np.random.default_rng(seed)
    size = rng.uniform(*radius, n)
    ratios = np.column_stack([rng.uniform(*ratio, (n, 2)), np.ones(n)])
    axes = size[:, None] * ratios / np.prod(ratios, axis=1, keepdims=True) ** (1 / 3)
    return rng.integers(0, 2**63, n).astype(np.uint64), axes, random_rotations(n, 3, rng)


@given(st.floats(0.5, 9), st.floats(0.5, 9), st.floats(0.1, 30))
@settings(deadline=None)
def test_contact_of_balls_is_that_of_their_radii(a, b, distance):
    eye = np.eye(3)
    value = contact(0.0, distance, 0.0, form_of((a,) * 3, eye), form_of((b,) * 3, eye), math.inf)
    assert value == pytest.approx((distance / (a + b)) ** 2, rel=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_contact_of_ellipsoids_is_where_their_surfaces_touch(seed):
    """Scaled by the root of the value both touch: no point is in both, and a hair larger there is one."""
    rng = np.random.default_rng(seed)
    axes, turns = rng.uniform(1, 4, (2, 3)), random_rotations(2, 3, rng)
    offset = rng.normal(size=3) * 4
    value = contact(*offset, form_of(axes[0], turns[0]), form_of(axes[1], turns[1]), math.inf)
    directions = rng.normal(size=(200_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for factor, is_overlap in ((0.995, False), (1.01, True)):
        grown = axes * math.sqrt(value) * factor
        surface = (directions * grown[0]) @ turns[0].T  # of the first, at the origin
        inside = (((surface - offset) @ turns[1] / grown[1]) ** 2).sum(axis=1) < 1
        assert inside.any() == is_overlap


def test_a_proven_distance_ends_the_search_early():
    eye = np.eye(3)
    a, b = form_of((2, 2, 2), eye), form_of((3, 3, 3), eye)
    assert 1.0 < contact(0.0, 9.0, 0.0, a, b, 1.0) <= contact(0.0, 9.0, 0.0, a, b, math.inf)


def test_support_is_the_extent_along_a_direction():
    rng = np.random.default_rng(0)
    axes, turn = np.array([1.0, 2.0, 5.0]), random_rotations(1, 3, rng)[0]
    directions = rng.normal(size=(100_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    surface = (directions * axes) @ turn.T
    for k in range(3):
        normal = np.eye(3)[k]
        assert support(form_of(axes, turn), *normal) == pytest.approx((surface @ normal).max(), rel=1e-3)


@pytest.mark.parametrize(
    ("n", "fraction", "is_of_centres"),
    [(400, 0.2, True), (400, 0.5, True), (400, 0.6, True), (400, 0.52, False), (1500, 0.55, False)],
)
def test_nothing_overlaps_at_any_density(n, fraction, is_of_centres):
    """A fraction of the box that holds the bodies as a whole, or of the one that their centres are in."""
    keys, axes, turns = bodies(n)
    side = (4 / 3 * math.pi * np.prod(axes, axis=1).sum() / fraction) ** (1 / 3)
    wide = float(np.prod(axes, axis=1).mean() ** (1 / 3)) if is_of_centres else 0.0
    low, high = np.full(3, -wide), np.full(3, side + wide)
    packing = pack(scattered(keys, low, high, None), axes, turns, low, high)
    assert packing.overlap.max() <= OVERLAP
    assert ((packing.centre_um >= low) & (packing.centre_um <= high)).all()
    forms = [form_of(a, t) for a, t in zip(axes, turns, strict=True)]
    values = [
        contact(*(packing.centre_um[i] - packing.centre_um[j]), forms[i], forms[j], 1.0)
        for i in range(60)
        for j in range(i)
    ]
    assert min(values) > (1 - 2 * OVERLAP) ** 2


def test_more_than_fits_is_told():
    keys, axes, turns = bodies(200)
    side = (4 / 3 * math.pi * np.prod(axes, axis=1).sum() / 1.2) ** (1 / 3)
    low, high = np.zeros(3), np.full(3, side)
    packing = pack(scattered(keys, low, high, None), axes, turns, low, high, max_rounds=60)
    assert packing.n_rounds == 60
    assert packing.overlap.max() > OVERLAP


def test_gaps_are_kept():
    keys, axes, turns = bodies(150, ratio=(1.0, 1.0), radius=(4.0, 4.0))
    low, high = np.zeros(3), np.full(3, 70.0)
    centre = pack(scattered(keys, low, high, None), axes, turns, low, high, gap_um=2.0).centre_um
    distances = np.linalg.norm(centre[:, None] - centre, axis=-1)[np.triu_indices(150, 1)]
    assert distances.min() >= 10.0 * (1 - OVERLAP)


def test_bodies_stay_inside_of_walls():
    radius = 40.0
    points = np.linspace(-50, 50, 81)
    distance = np.sqrt(sum(p**2 for p in np.meshgrid(points, points, points, indexing="ij")))
    walls = LatticeField((radius - distance).astype(np.float32), np.full(3, -50.0), np.full(3, 1.25))
    keys, axes, turns = bodies(150)
    low, high = np.full(3, -50.0), np.full(3, 50.0)
    packing = pack(scattered(keys, low, high, walls), axes, turns, low, high, walls=walls)
    assert packing.overlap.max() <= OVERLAP
    # The farthest point of a body in the direction away from the centre.
    outward = packing.centre_um / np.linalg.norm(packing.centre_um, axis=1, keepdims=True)
    reach = [support(form_of(a, t), *n) for a, t, n in zip(axes, turns, outward, strict=True)]
    assert (np.linalg.norm(packing.centre_um, axis=1) + reach).max() < radius + 0.2


def test_equal_starts_give_equal_places_whatever_the_number_of_threads():
    numba = pytest.importorskip("numba")
    keys, axes, turns = bodies(300)
    low, high = np.zeros(3), np.full(3, 80.0)
    start = scattered(keys, low, high, None)
    places = []
    for n_threads in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(n_threads)
        places.append(pack(start, axes, turns, low, high).centre_um.tobytes())
    assert len(set(places)) == 1


def test_two_at_one_place_and_none_at_all():
    _, axes, turns = bodies(2, radius=(4.0, 4.0), ratio=(1.0, 1.0))
    low, high = np.zeros(3), np.full(3, 40.0)
    centre = pack(np.full((2, 3), 20.0), axes, turns, low, high).centre_um
    assert np.linalg.norm(centre[0] - centre[1]) >= 8 * (1 - OVERLAP)
    assert pack(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3, 3)), low, high).n_rounds == 0


def test_a_region_without_room_is_refused():
    walls = LatticeField(np.full((2, 2, 2), -1.0, np.float32), np.zeros(3), np.full(3, 40.0))
    with pytest.raises(RecipeError, match="make it larger"):
        scattered(np.arange(3, dtype=np.uint64), np.zeros(3), np.full(3, 40.0), walls)


def test_bodies_lie_in_the_box_as_a_whole():
    keys, axes, turns = bodies(120)
    side = (4 / 3 * math.pi * np.prod(axes, axis=1).sum() / 0.5) ** (1 / 3)
    low, high = np.array([-3.0, 2.0, 5.0]), np.array([-3.0, 2.0, 5.0]) + side
    packing = pack(scattered(keys, low, high, None), axes, turns, low, high)
    reach = np.sqrt(np.einsum("nij,nj->ni", turns**2, axes**2))
    assert (packing.centre_um - reach >= low - 1e-9).all()
    assert (packing.centre_um + reach <= high + 1e-9).all()
