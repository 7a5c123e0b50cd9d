"""Nearest labels: against SciPy's exact transform and against looking at every label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from cellsynth.core.nearest import nearest_labels

VOXELS = [(1.0, 1.0, 1.0), (2.0, 0.7, 0.4), (0.3, 1.1, 0.9)]


def distance_to_each_label(labels: np.ndarray, voxel_um: tuple[float, ...]) -> np.ndarray:
    """(n, ...): from every voxel to every label."""
    ids = range(1, labels.max() + 1)
    return np.stack([distance_transform_edt(labels != i, sampling=voxel_um) for i in ids])


@pytest.mark.parametrize("shape", [(41, 57), (13, 31, 47), (1, 31, 47), (13, 1, 5), (1, 1)])
@pytest.mark.parametrize("voxel_um", VOXELS)
@pytest.mark.parametrize("n", [1, 9, 60])
def test_agrees_with_scipy_in_distance_and_with_every_label_where_one_is_nearest(shape, voxel_um, n):
    voxel_um = voxel_um[-len(shape) :]
    rng = np.random.default_rng(n)
    labels = np.zeros(shape, np.uint16)
    at = rng.choice(labels.size, min(n, labels.size), replace=False)
    labels.flat[at] = np.arange(1, len(at) + 1)
    nearest, distance = nearest_labels(labels, voxel_um)
    assert nearest.dtype == np.int32
    assert distance.dtype == np.float32
    expected = distance_transform_edt(labels == 0, sampling=voxel_um)
    assert np.array_equal(distance, np.asarray(expected, np.float32))
    each = distance_to_each_label(labels, voxel_um)
    own = np.take_along_axis(each, nearest[None].astype(int) - 1, axis=0)[0]
    assert own == pytest.approx(
        expected, rel=1e-12
    )  # so the label is right, wherever one is alone the nearest


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, max_side=9), elements=st.integers(0, 3)))
def test_agrees_with_scipy_on_any_labels(labels):
    voxel_um = (0.5, 2.0, 1.0)[-labels.ndim :]
    nearest, distance = nearest_labels(labels, voxel_um)
    if not labels.any():
        assert not nearest.any()
        assert np.isinf(distance).all()
        return
    expected = distance_transform_edt(labels == 0, sampling=voxel_um)
    assert np.array_equal(distance, np.asarray(expected, np.float32))
    assert np.array_equal(nearest[labels > 0], labels[labels > 0])


def test_by_hand_in_voxels_of_unequal_size():
    labels = np.zeros((3, 5), np.int32)
    labels[0, 0], labels[2, 4] = 7, 3
    nearest, distance = nearest_labels(labels, (3.0, 1.0))
    assert nearest.tolist() == [[7, 7, 7, 7, 7], [7, 7, nearest[1, 2], 3, 3], [3, 3, 3, 3, 3]]
    assert distance[0].tolist() == [0, 1, 2, 3, 4]
    assert distance[1, 1] == np.float32(np.sqrt(10))


@pytest.mark.parametrize("shape", [(41, 57), (13, 31, 47)])
def test_beyond_the_greatest_distance_there_is_no_label(shape):
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(shape) < 0.002, rng.integers(1, 9, shape), 0)
    voxel_um = (1.5, 0.7, 0.5)[-len(shape) :]
    nearest, distance = nearest_labels(labels, voxel_um)
    near, cut = nearest_labels(labels, voxel_um, max_distance_um=3.0)
    is_far = distance > 3
    assert 0.05 < is_far.mean() < 0.95
    assert np.array_equal(near, np.where(is_far, 0, nearest))
    assert np.array_equal(cut, np.where(is_far, np.inf, distance))


def test_labels_that_are_not_contiguous_in_memory_are_read_as_they_are():
    labels = np.zeros((47, 31), np.int32).T
    labels[5, 40] = 2
    nearest, distance = nearest_labels(labels, (1.0, 1.0))
    assert (nearest == 2).all()
    assert distance[5, 0] == 40
