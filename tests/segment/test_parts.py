"""Thresholds, seeds, flooding and the component tree, by hand-computed examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellsynth.segment._component_tree import best_disjoint, component_tree
from cellsynth.segment._presence import noise_sigma, without_hot_pixels
from cellsynth.segment._threshold import threshold_level
from cellsynth.segment._watershed import basins, connected, fill_holes, flood, gapless, peaks

planes = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 11)), elements=st.integers(0, 5))


@pytest.mark.parametrize("method", ["otsu", "minimum_cross_entropy"])
def test_threshold_lies_between_two_levels(method):
    plane = np.full((11, 13), 0.2, np.float32)
    plane[3:6, 2:9] = 0.7
    level = threshold_level(plane, method)
    assert 0.2 < level < 0.7
    assert threshold_level(plane, method, correction=0.5) == pytest.approx(0.2 + (level - 0.2) / 2, abs=1e-6)


@given(planes)
def test_otsu_leaves_the_least_variance_within_the_classes(levels):
    plane = levels.astype(np.float32)
    if plane.max() == plane.min():
        return

    def within(level):
        parts = [plane[plane <= level], plane[plane > level]]
        return sum(part.var(dtype=float) * part.size for part in parts if part.size)

    best = min(within(level) for level in np.unique(plane)[:-1])
    assert within(threshold_level(plane, "otsu")) == pytest.approx(best, abs=1e-6)


def test_peaks_suppress_lower_ones_nearby():
    plane = np.zeros((9, 15), np.float32)
    plane[4, [2, 5, 12]] = [1.0, 2.0, 3.0]
    everywhere = np.ones(plane.shape, bool)
    assert np.argwhere(peaks(plane, plane > 0, 1)).tolist() == [[4, 2], [4, 5], [4, 12]]
    assert np.argwhere(peaks(plane, plane > 0, 4)).tolist() == [[4, 5], [4, 12]]
    assert peaks(plane, ~everywhere, 4).max() == 0


def test_basins_merge_peaks_that_rise_less_than_asked():
    row = np.array([[0, 3, 5, 4, 6, 2, 0, 1]], np.float32)
    mask = row > 0
    assert basins(row, mask, 0.5).tolist() == [[0, 1, 1, 2, 2, 2, 0, 3]] or basins(row, mask, 0.5).max() == 3
    assert basins(row, mask, 1.5).tolist() == [[0, 1, 1, 1, 1, 1, 0, 2]]


def test_small_holes_are_filled_and_large_or_open_ones_are_not():
    mask = np.ones((9, 15), bool)
    mask[2, 2] = mask[4:7, 5:9] = mask[4, 12:] = False
    filled = fill_holes(mask, max_area_px=3)
    assert filled[2, 2]
    assert not filled[4:7, 5:9].any()
    assert not filled[4, 12:].any()


@given(planes)
def test_gapless_keeps_objects_and_numbers_them(labels):
    result = gapless(labels.astype(np.int32))
    assert result.dtype == np.int32
    assert sorted(set(result.ravel()) - {0}) == list(range(1, len(set(labels.ravel()) - {0}) + 1))
    assert len(set(zip(labels.ravel(), result.ravel(), strict=True))) == len(set(labels.ravel()))


@given(planes)
def test_component_tree_has_the_parts_of_every_threshold(levels):
    from scipy.ndimage import label

    tree = component_tree(levels)
    expected = {
        tuple(np.flatnonzero(parts == i))
        for level in np.unique(levels)
        for parts, n in [label(levels >= level)]
        for i in range(1, n + 1)
    }
    members = [[] for _ in tree.parent]
    for pixel, node in enumerate(tree.node_of.ravel()):
        while True:
            members[node].append(pixel)
            if node == 0:
                break
            node = tree.parent[node]
    assert {tuple(m) for m in members} == expected | {tuple(range(levels.size))}
    assert tree.area.tolist() == [len(m) for m in members]
    assert (tree.parent[1:] < np.arange(1, len(tree.parent))).all()


def test_ellipse_fill_is_one_for_a_disc_and_less_for_two():
    y, x = np.indices((41, 61))
    one = ((y - 20) ** 2 + (x - 20) ** 2 < 144).astype(np.uint8)
    two = one | ((y - 20) ** 2 + (x - 43) ** 2 < 144)
    assert component_tree(one).ellipse_fill()[1] == pytest.approx(1.0, abs=0.01)
    assert component_tree(two.astype(np.uint8)).ellipse_fill()[1] == pytest.approx(0.91, abs=0.01)


def test_best_set_weighs_a_part_against_what_is_inside_of_it():
    parent = np.array([0, 0, 1, 1, 0, 4], np.int32)
    value = np.array([-1.0, 3.0, 2.0, 2.0, 5.0, 4.0])
    assert np.flatnonzero(best_disjoint(parent, value)).tolist() == [2, 3, 4]
    value[1] = 4.0
    assert np.flatnonzero(best_disjoint(parent, value)).tolist() == [1, 4]


def test_noise_is_measured_beside_structure():
    rng = np.random.Generator(np.random.Philox(3))
    y, x = np.indices((101, 121))
    plane = (0.3 + 0.2 * np.sin(x / 9) + 0.001 * y + 0.03 * rng.standard_normal(y.shape)).astype(np.float32)
    assert noise_sigma(plane) == pytest.approx(0.03, rel=0.05)


def test_hot_pixel_is_lowered_to_its_neighbours():
    plane = np.arange(35, dtype=np.float32).reshape(5, 7)
    plane[2, 3] = 99
    lowered = without_hot_pixels(plane)
    assert lowered[2, 3] == 25
    assert plane[2, 3] == 99


def two_balls(shape, centres, radius):
    places = np.indices(shape)
    return (
        np.min([sum((p - c) ** 2 for p, c in zip(places, at, strict=True)) for at in centres], 0) ** 0.5
        - radius
    )


@pytest.mark.parametrize("shift", [(0, 0, 10), (0, 10, 0), (10, 0, 0)])
def test_touching_balls_of_a_volume_are_divided_half_way_along_any_axis(shift):
    first = np.array([8, 9, 10])
    depth = -two_balls((27, 29, 31), [first, first + shift], 6.5).astype(np.float32)
    mask = depth > 0
    assert connected(mask).max() == 1
    divided = basins(depth, mask, 1.0)
    assert divided.max() == 2
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(first)], seeds[tuple(first + shift)] = 1, 2
    for labels in (divided, flood(-depth, seeds, mask)):
        assert labels[tuple(first)] == 1
        assert labels[tuple(first + shift)] == 2
        sizes = np.bincount(labels[mask])[1:]
        assert abs(sizes[0] - sizes[1]) <= np.count_nonzero(mask.any(axis=int(np.argmax(shift)))) // 2


def test_a_volume_of_one_plane_is_divided_as_the_plane(key):
    plane = key.generator().integers(0, 9, (31, 47)).astype(np.float32)
    mask = plane > 2
    seeds = np.where(plane == 8, np.arange(plane.size).reshape(plane.shape) + 1, 0).astype(np.int32)
    assert np.array_equal(basins(plane[None], mask[None], 1.5)[0], basins(plane, mask, 1.5))
    assert np.array_equal(flood(-plane[None], seeds[None], mask[None])[0], flood(-plane, seeds, mask))


def test_holes_of_a_volume_are_those_that_no_face_opens():
    mask = np.ones((5, 9, 11), bool)
    mask[2, 3, 4] = mask[1:4, 6, 6:9] = mask[0, 1, 1] = False
    filled = fill_holes(mask, max_area_px=3)
    assert filled[2, 3, 4]
    assert not filled[2, 6, 7]
    assert not filled[0, 1, 1]
