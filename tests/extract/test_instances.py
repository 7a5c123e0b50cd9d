"""Masks to instances: what touches is divided, and cores get their rims."""

import numpy as np
import pytest
from scipy import ndimage

from cellsynth.extract.instances import instances_of, level_of
from cellsynth.extract.three_classes import decode_three_classes


def balls(shape, spec):
    """Labels of balls, (centre, radius) each; the scaled distance decides where they meet."""
    places = np.indices(shape)
    scaled = np.stack(
        [sum((p - c) ** 2 for p, c in zip(places, centre, strict=True)) ** 0.5 / r for centre, r in spec]
    )
    return np.where(scaled.min(0) < 1, scaled.argmin(0) + 1, 0).astype(np.int32)


def encode(labels, full_scale=255):
    """The published encoding: rim where the distance to the outline is less than half of the greatest."""
    out = np.zeros(labels.shape)
    for i in range(1, labels.max() + 1):
        padded = np.pad(labels == i, 1, mode="edge")
        inner = ndimage.distance_transform_edt(padded)[(slice(1, -1),) * labels.ndim]
        out[labels == i] = np.where(inner < inner.max() / 2, full_scale // 2, full_scale)[labels == i]
    return out.astype(np.float32)


def agreement(a, b):
    """Least IoU of an object of `a` with the object of `b` that it overlaps most."""
    found = []
    for i in range(1, a.max() + 1):
        own = a == i
        other = b == np.bincount(b[own & (b > 0)], minlength=1).argmax()
        found.append((own & other).sum() / (own | other).sum())
    return min(found)


PAIR_2D = ((41, 57), [((20, 18), 11), ((21, 37), 9)])
PAIR_3D = ((21, 31, 47), [((10, 15, 13), 8), ((10, 16, 28), 8)])


@pytest.mark.parametrize(("shape", "spec"), [PAIR_2D, PAIR_3D])
def test_touching_balls_are_divided_and_single_ones_are_not(shape, spec):
    truth = balls(shape, spec)
    voxel = (1.0,) * len(shape)
    found = instances_of(truth > 0, voxel, neck=0.9)
    assert found.max() == 2
    assert agreement(truth, found) > 0.9
    assert instances_of(truth > 0, voxel, neck=0).max() == 1
    assert instances_of(truth == 1, voxel, neck=0.9).max() == 1


def test_a_rod_is_one_object_and_so_is_a_mask_without_outline():
    rod = np.zeros((21, 67), bool)
    rod[7:14, 4:60] = True
    rod[9:16, 30:64] = True
    assert instances_of(rod, (1.0, 1.0), neck=0.9).max() == 1
    assert instances_of(np.ones((21, 67), bool), (1.0, 1.0), neck=0.9).max() == 1
    assert instances_of(~np.ones((21, 67), bool), (1.0, 1.0), neck=0.9).max() == 0


def test_long_voxels_do_not_divide_a_ball():
    voxel = (3.0, 1.0, 1.0)
    places = (np.indices((13, 43, 45)).T * voxel).T
    ball = sum((p - c) ** 2 for p, c in zip(places, (18, 21, 22), strict=True)) < 15**2
    assert instances_of(ball, voxel, neck=0.9).max() == 1


def test_crumbs_are_dropped_and_small_holes_filled():
    mask = balls(*PAIR_2D) > 0
    mask[20, 18] = False
    mask[2, 2:5] = True
    found = instances_of(mask, (1.0, 1.0), neck=0.9, min_area_px=4, max_hole_px=1)
    assert found.max() == 2
    assert found[20, 18] == found[20, 17]
    assert instances_of(mask, (1.0, 1.0), neck=0.9, min_area_px=3).max() >= 3
    assert found[20, 18] > 0
    assert instances_of(mask, (1.0, 1.0), neck=0.9)[20, 18] == 0


def test_levels():
    image = np.full((31, 47), 10.0, np.float32)
    image[3:9, 4:20] = 90
    assert level_of(image, "half", 255) == 127.5
    assert 10 < level_of(image, "otsu", 255) <= 90


@pytest.mark.parametrize("full_scale", [255, 65535])
@pytest.mark.parametrize(
    ("shape", "spec"),
    [
        ((41, 67), [((20, 17), 14), ((20, 37), 6), ((33, 60), 10), ((0, 50), 9)]),
        ((21, 31, 47), [((10, 15, 13), 9), ((10, 15, 26), 4), ((4, 27, 40), 6)]),
    ],
)
def test_three_classes_give_the_instances_back_also_of_unequal_neighbours(shape, spec, full_scale):
    truth = balls(shape, spec)
    found = decode_three_classes(encode(truth, full_scale), full_scale, (1.0,) * len(shape))
    assert found.max() == len(spec)
    assert agreement(truth, found) > 0.8
    assert np.array_equal(found > 0, truth > 0)


def test_rim_without_a_core_is_a_cell_of_its_own():
    image = encode(balls((41, 67), [((20, 17), 10)]))
    image[30:33, 50:53] = 127
    found = decode_three_classes(image, 255, (1.0, 1.0))
    assert found.max() == 2
    assert found[31, 51] == 2
    assert decode_three_classes(image, 255, (1.0, 1.0), min_area_px=10).max() == 1
    assert decode_three_classes(np.full((5, 7), 255, np.float32), 255, (1.0, 1.0)).max() == 1
