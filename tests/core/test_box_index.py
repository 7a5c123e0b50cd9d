"""The index finds what looking at every box finds, in order, in 2D and 3D."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.box_index import BoxIndex
from cellsynth.core.grid import Box

SHAPES = {2: (131, 257), 3: (31, 97, 131)}


def boxes_of(ndim: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Many small ones, a few that span the grid, some outside and some empty."""
    rng = np.random.default_rng(seed)
    low = rng.integers(-20, np.array(SHAPES[ndim]) + 20, (n, ndim))
    extent = np.where(rng.random((n, 1)) < 0.05, 300, rng.integers(0, 12, (n, ndim)))
    return low, low + extent


def found_by_looking_at_all(low: np.ndarray, high: np.ndarray, box: Box, shape: tuple[int, ...]) -> list[int]:
    low, high = np.maximum(low, 0), np.minimum(high, shape)
    is_met = (low < box.stop) & (high > box.start) & (high > low)
    return np.flatnonzero(is_met.all(axis=1)).tolist()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("n", [0, 1, 7, 400])
def test_finds_what_looking_at_every_box_finds(ndim, n):
    shape = SHAPES[ndim]
    low, high = boxes_of(ndim, n, n)
    index = BoxIndex.build(low, high, shape)

    @given(st.tuples(*[st.tuples(st.integers(0, s - 1), st.integers(1, 40)) for s in shape]))
    def check(edges):
        box = Box(
            tuple(a for a, _ in edges), tuple(min(a + b, s) for (a, b), s in zip(edges, shape, strict=True))
        )
        assert index.meeting(box).tolist() == found_by_looking_at_all(low, high, box, shape)

    check()


def test_an_empty_box_meets_nothing():
    index = BoxIndex.build(np.array([[0, 0]]), np.array([[9, 9]]), (31, 47))
    assert index.meeting(Box((3, 3), (3, 9))).tolist() == []
    assert index.meeting(Box((8, 8), (9, 9))).tolist() == [0]
    assert index.meeting(Box((9, 8), (12, 9))).tolist() == []


def test_bins_stay_few_where_objects_are_few():
    index = BoxIndex.build(np.array([[5, 5, 5]]), np.array([[9, 9, 9]]), (4096, 4096, 4096))
    assert index.n_bins.prod() <= 68
    assert index.meeting(Box((0, 0, 0), (6, 6, 6))).tolist() == [0]


def test_index_can_be_sent_to_another_process():
    low, high = boxes_of(3, 50, 0)
    index = BoxIndex.build(low, high, SHAPES[3])
    box = Box((3, 5, 7), (20, 60, 80))
    assert pickle.loads(pickle.dumps(index)).meeting(box).tolist() == index.meeting(box).tolist()
