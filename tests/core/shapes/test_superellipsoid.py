"""Superellipsoids: against the formula, in 2D and in 3D."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.scene import Scene
from cellsynth.core.shapes import Ellipsoid, Rod, Superellipsoid
from tests.core.shapes.scenes import GRIDS, objects_of, random_objects


def test_exponent_one_is_a_diamond():
    grid = Grid(shape_px=(7, 9), voxel_um=(1.0, 1.0))
    labels = Scene(grid, objects_of((3.5, 4.5), (2.5, 3.5)), Superellipsoid(1.0)).draw()
    assert labels.sum(axis=1).tolist() == [0, 1, 5, 7, 5, 1, 0]


def test_a_high_exponent_is_a_box():
    grid = Grid(shape_px=(9, 11), voxel_um=(1.0, 1.0))
    labels = Scene(grid, objects_of((4.5, 5.5), (2.9, 3.9)), Superellipsoid(100.0)).draw()
    assert labels.sum() == 5 * 7


@pytest.mark.parametrize("ndim", [2, 3])
def test_exponent_two_is_the_ellipsoid(ndim):
    grid = GRIDS[ndim]
    objects = random_objects(grid, 12, 0)
    labels, plain = (Scene(grid, objects, shape).draw() for shape in (Superellipsoid(2.0), Ellipsoid()))
    assert np.mean(labels != plain) < 1e-3  # rounding may decide a voxel on an outline


@pytest.mark.parametrize("shape", [Ellipsoid(), Superellipsoid(3.5), Rod(70, 0.5)])
def test_a_thin_volume_shows_what_a_plane_does(shape):
    plane = Grid(shape_px=(61, 83), voxel_um=(0.35, 0.25))
    volume = Grid(shape_px=(1, 61, 83), voxel_um=(1.0, 0.35, 0.25))
    flat = random_objects(plane, 12, 0)
    n = len(flat)
    rotation = np.zeros((n, 3, 3))
    rotation[:, 0, 0], rotation[:, 1:, 1:] = 1, flat.rotation
    solid = objects_of(
        np.column_stack([np.full(n, 0.5), flat.centre_um]),
        np.column_stack([flat.semi_axes_um[:, 0], flat.semi_axes_um]),
        rotation,
        flat.class_id,
        seed=0,
    )
    assert np.array_equal(Scene(volume, solid, shape).draw()[0], Scene(plane, flat, shape).draw())


@pytest.mark.parametrize("wrong", [0.5, 1000.0, float("nan")])
def test_an_exponent_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="exponent is between"):
        Superellipsoid(wrong)
