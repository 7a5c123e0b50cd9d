"""Scene: tables of objects, dropping what is not seen, and wrapping labels that somebody else made."""

import math
import pickle

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.core.grid import Box, Grid
from cellsynth.core.scene import Objects, Scene
from cellsynth.core.shapes import Ellipsoid, scene_from_labels

GRID = Grid(shape_px=(31, 47), voxel_um=(1.0, 1.0))


def disks(*centres_and_radii: tuple[float, float, float]) -> Objects:
    table = np.array(centres_and_radii, float).reshape(-1, 3)
    n = len(table)
    return Objects(
        table[:, :2],
        np.repeat(table[:, 2:], 2, axis=1),
        np.broadcast_to(np.eye(2), (n, 2, 2)).copy(),
        np.linspace(0.5, 1.5, n),
        np.arange(1, n + 1, dtype=np.int32),
        np.arange(n, dtype=np.uint64),
    )


def ellipsoid(centre_um: tuple[float, ...], semi_axes_um: tuple[float, ...], rotation: np.ndarray) -> Objects:
    one = np.ones(1)
    return Objects(
        np.array([centre_um]), np.array([semi_axes_um]), rotation, one, one.astype(int), one.astype(np.uint64)
    )


def test_only_visible_drops_what_lies_outside_and_leaves_no_gaps():
    scene = Scene(GRID, disks((-9, 5, 3), (10, 10, 4), (90, 90, 4), (20, 30, 5)), Ellipsoid())
    seen = scene.only_visible()
    assert len(seen.objects) == 2
    assert np.array_equal(np.unique(seen.draw()), [0, 1, 2])
    assert seen.objects.class_id.tolist() == [2, 4]
    assert np.array_equal(seen.draw() > 0, scene.draw() > 0)


def test_only_visible_counts_the_voxels_inside_of_the_grid():
    scene = Scene(GRID, disks((0, 20, 6), (15, 15, 8)), Ellipsoid())  # half of the first is cut off
    n_first = int((scene.draw() == 1).sum())
    assert len(scene.only_visible(n_first).objects) == 2
    assert scene.only_visible(n_first + 1).objects.class_id.tolist() == [2]


def test_only_visible_looks_at_large_grids_block_by_block():
    grid = Grid(shape_px=(300, 520), voxel_um=(1.0, 1.0))
    scene = Scene(grid, disks((256, 256, 9), (100, 511, 5), (299, 400, 4), (400, 10, 5)), Ellipsoid())
    assert scene.only_visible().objects.class_id.tolist() == [1, 2, 3]


def test_only_visible_of_nothing_is_nothing():
    assert len(Scene(GRID, disks(), Ellipsoid()).only_visible().objects) == 0


def crowd(grid: Grid, n: int, seed: int) -> Objects:
    """Disks or balls, at the border, behind each other, some too small to hold the centre of a voxel."""
    rng = np.random.default_rng(seed)
    radius = rng.choice([0.3, 1.5, 4.0, 7.0], n)
    return Objects(
        rng.uniform(-5, np.array(grid.extent_um) + 5, (n, grid.ndim)),
        np.repeat(radius[:, None], grid.ndim, axis=1),
        np.broadcast_to(np.eye(grid.ndim), (n, grid.ndim, grid.ndim)).copy(),
        np.ones(n),
        np.ones(n, np.int32),
        np.arange(n, dtype=np.uint64),
    )


@pytest.mark.parametrize("shape_px", [(131, 157), (29, 61, 83)])
@pytest.mark.parametrize("min_voxels", [1, 4, 60])
def test_only_visible_of_large_grids_counts_no_less_than_drawing_all(shape_px, min_voxels, monkeypatch):
    grid = Grid(shape_px=shape_px, voxel_um=(1.0,) * len(shape_px))
    scene = Scene(grid, crowd(grid, 200, 0), Ellipsoid())
    expected = np.bincount(scene.draw().ravel(), minlength=201)[1:] >= min_voxels
    assert 20 < expected.sum() < 180
    monkeypatch.setattr("cellsynth.core.scene._LARGE", 0)
    assert scene.only_visible(min_voxels).objects.key.tolist() == np.flatnonzero(expected).tolist()


def test_a_scene_is_drawn_the_same_after_a_journey_to_another_process():
    grid = Grid(shape_px=(29, 61, 83), voxel_um=(1.0, 1.0, 1.0))
    scene = Scene(grid, crowd(grid, 50, 1), Ellipsoid(0.2))
    box = Box((3, 5, 7), (20, 60, 80))
    before = scene.draw(box)
    assert np.array_equal(pickle.loads(pickle.dumps(scene)).draw(box), before)


def test_shape_of_wrapped_labels_knows_their_size_and_place(key):
    grid = Grid(shape_px=(31, 47), voxel_um=(0.5, 0.4))
    labels = np.zeros((31, 47), np.uint16)
    labels[3:8, 10:20] = 1
    scene = scene_from_labels(labels, grid, key)
    assert scene.shape.half_extents_um(scene.objects, grid) == pytest.approx(np.array([[1.0, 1.8]]))
    ellipse = np.pi * scene.objects.semi_axes_um.prod()
    assert scene.shape.volume_factor(scene.objects, grid) * ellipse == pytest.approx([50 * 0.2])


def test_take_keeps_rows_in_the_order_asked_for():
    objects = disks((1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert objects.take(np.array([2, 0])).class_id.tolist() == [3, 1]
    assert objects.take(np.array([False, True, False])).centre_um.tolist() == [[4, 5]]


def test_columns_have_one_name_per_number():
    columns = disks((1, 2, 3), (4, 5, 6)).to_columns()
    assert list(columns) == [
        "label", "class_id", "centre_y_um", "centre_x_um", "semi_axis_0_um", "semi_axis_1_um",
        "orientation_y", "orientation_x", "intensity",
    ]  # fmt: skip
    assert columns["label"].tolist() == [1, 2]
    assert columns["centre_x_um"].tolist() == [2, 5]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.int32, np.int64])
def test_wrapped_labels_are_drawn_as_they_are(key, dtype):
    labels = Scene(GRID, disks((10, 10, 4), (20, 30, 5)), Ellipsoid()).draw()
    scene = scene_from_labels(labels.astype(dtype), GRID, key)
    assert np.array_equal(scene.draw(), labels)
    box = Box((5, 7), (22, 31))
    assert np.array_equal(scene.draw(box), labels[box.slices])
    assert scene.draw(box).dtype == np.int32


@pytest.mark.parametrize("turn_deg", [0, 25, 70, 140])
def test_wrapped_labels_recover_centre_and_axes_of_an_ellipse(key, turn_deg):
    grid = Grid(shape_px=(151, 203), voxel_um=(0.5, 0.4))
    turn = math.radians(turn_deg)
    long_axis = np.array([math.sin(turn), math.cos(turn)])
    rotation = np.stack([long_axis, [-long_axis[1], long_axis[0]]], axis=1)[None]
    drawn = ellipsoid((36.0, 40.0), (24.0, 11.0), rotation)
    objects = scene_from_labels(Scene(grid, drawn, Ellipsoid()).draw(), grid, key).objects
    assert objects.centre_um[0] == pytest.approx([36.0, 40.0], abs=0.05)
    assert sorted(objects.semi_axes_um[0]) == pytest.approx([11.0, 24.0], rel=0.01)
    found = objects.rotation[0][:, objects.semi_axes_um[0].argmax()]
    assert abs(found @ long_axis) == pytest.approx(1, abs=1e-3)


def test_wrapped_labels_recover_an_ellipsoid_in_anisotropic_voxels(key):
    grid = Grid(shape_px=(31, 61, 73), voxel_um=(1.0, 0.5, 0.4))
    drawn = ellipsoid((15.0, 16.0, 14.0), (12.0, 6.0, 9.0), np.eye(3)[None])
    objects = scene_from_labels(Scene(grid, drawn, Ellipsoid()).draw(), grid, key).objects
    assert objects.centre_um[0] == pytest.approx([15, 16, 14], abs=0.1)
    assert objects.semi_axes_um[0] == pytest.approx([6, 9, 12], rel=0.02)


def test_a_label_of_one_voxel_has_a_size(key):
    labels = np.zeros((5, 7), np.int32)
    labels[2, 3] = 1
    objects = scene_from_labels(labels, Grid(shape_px=(5, 7), voxel_um=(1.0, 0.5)), key).objects
    assert objects.centre_um.tolist() == [[2.5, 1.75]]
    assert (objects.semi_axes_um > 0).all()


def test_no_labels_are_a_scene_without_objects(key):
    scene = scene_from_labels(np.zeros((31, 47), np.uint16), GRID, key)
    assert len(scene.objects) == 0
    assert not scene.draw().any()


@pytest.mark.parametrize("ids", [[0, 1, 3], [2], [0, 1, 4_000_000_000], [0, -1, 1]])
def test_labels_with_gaps_or_negative_ids_are_refused(key, ids):
    labels = np.zeros((31, 47), np.int64)
    labels[0, : len(ids)] = ids
    with pytest.raises(InputError, match="1..N without gaps"):
        scene_from_labels(labels, GRID, key)


def test_labels_of_another_shape_are_refused_with_both_shapes(key):
    with pytest.raises(InputError, match=r"\(47, 31\).*\(31, 47\)"):
        scene_from_labels(np.zeros((47, 31), np.int32), GRID, key)
