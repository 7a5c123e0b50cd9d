"""Tally: counts of a box, and sums over boxes."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.tally import tally


def brute_force(labels, counts):
    """Everything by loops over labels and shifted images."""
    ids = [i for i in np.unique(labels) if i > 0]
    pairs = set()
    for axis in range(labels.ndim):
        a = np.moveaxis(labels, axis, 0)[:-1]
        b = np.moveaxis(labels, axis, 0)[1:]
        there = (a != b) & (a > 0) & (b > 0)
        pairs |= {(min(p), max(p)) for p in zip(a[there].tolist(), b[there].tolist(), strict=True)}
    return (
        ids,
        {i: (labels == i).sum() for i in ids},
        {i: counts[:, labels == i].sum(axis=1) for i in ids},
        pairs,
    )


@pytest.mark.parametrize("shape", [(13, 17), (5, 11, 9)])
def test_a_whole_image_is_counted(shape):
    rng = np.random.default_rng(1)
    labels = (rng.integers(0, 9, shape) * (rng.random(shape) < 0.6)).astype(np.int32)
    counts = rng.integers(0, 4000, (2, *shape)).astype(np.uint16)
    found = tally(labels, counts, (0,) * len(shape))
    ids, sizes, greys, pairs = brute_force(labels, counts)
    assert found.labels.tolist() == ids
    assert found.n_voxels.tolist() == [sizes[i] for i in ids]
    assert found.grey.tolist() == [greys[i].tolist() for i in ids]
    assert [tuple(p) for p in found.touching.tolist()] == sorted(pairs)
    for i, place in zip(ids, found.place_px, strict=True):
        assert place[3 - len(shape) :].tolist() == np.argwhere(labels == i).sum(axis=0).tolist()


@pytest.mark.parametrize(("shape", "block"), [((13, 17), (5, 4)), ((5, 11, 9), (2, 11, 4))])
def test_boxes_in_any_order_add_up_to_the_whole(shape, block):
    rng = np.random.default_rng(2)
    labels = np.kron(rng.integers(0, 30, shape), np.ones((1,) * len(shape), int)).astype(np.int32)
    counts = rng.integers(0, 4000, (1, *shape)).astype(np.uint16)
    whole = tally(labels, counts, (0,) * len(shape))
    grid = Grid(shape_px=shape, voxel_um=(1.0,) * len(shape))
    parts = []
    for box in rng.permutation(np.array(grid.boxes(block), object)):
        wide = tuple(slice(a, min(b + 1, n)) for a, b, n in zip(box.start, box.stop, shape, strict=True))
        parts.append(tally(labels[wide], counts[(slice(None), *box.slices)], box.start))
    total = parts[0]
    for part in parts[1:]:
        total = part + total
    for name in ("labels", "n_voxels", "place_px", "grey", "touching"):
        assert np.array_equal(getattr(total, name), getattr(whole, name))


def test_nothing_is_counted_in_background():
    found = tally(np.zeros((4, 5), np.int32), np.ones((1, 4, 5), np.uint8), (0, 0))
    assert len(found.labels) == len(found.touching) == 0
    assert len((found + found).labels) == 0


def test_an_object_that_only_the_neighbouring_box_shows_is_touched_and_not_counted():
    labels = np.array([[3, 0, 7]], np.int32)
    labels[0, 1] = 3
    found = tally(labels, np.ones((1, 1, 2), np.uint8), (0, 0))
    assert found.labels.tolist() == [3]
    assert found.touching.tolist() == [[3, 7]]
