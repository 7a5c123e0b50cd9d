"""Star-convex bodies: the deviation of the radius is the amplitude, the area stays, each key has its own."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.scene import Scene
from cellsynth.core.shapes import Ellipsoid, StarConvex
from tests.core.shapes.scenes import GRIDS, objects_of, random_objects

FINE = Grid(shape_px=(301, 301), voxel_um=(0.1, 0.1))


def radii(mask: np.ndarray, n: int = 360) -> np.ndarray:
    """Distance from the middle of the grid to the outline of a star-shaped mask, in um."""
    angle = np.arange(n) * 2 * np.pi / n
    steps = np.arange(0, 140, 0.25)
    y = np.rint(150 + np.sin(angle)[:, None] * steps).astype(int)
    x = np.rint(150 + np.cos(angle)[:, None] * steps).astype(int)
    return mask[y, x].sum(axis=1) * 0.025


@pytest.mark.parametrize("ndim", [2, 3])
def test_without_amplitude_it_is_the_ellipsoid(ndim):
    grid = GRIDS[ndim]
    objects = random_objects(grid, 12, 0)
    smooth, plain = (Scene(grid, objects, shape).draw() for shape in (StarConvex(amplitude=0.0), Ellipsoid()))
    assert np.mean(smooth != plain) < 1e-3  # rounding may decide a voxel on an outline


def test_area_of_every_object_is_that_of_its_ellipse():
    for seed in range(5):
        objects = objects_of((15.05, 15.05), (6.0, 9.0), seed=seed)
        area = (Scene(FINE, objects, StarConvex(amplitude=0.15)).draw() > 0).sum() * 0.01
        assert area == pytest.approx(np.pi * 54, rel=0.01)


@pytest.mark.parametrize("amplitude", [0.05, 0.15])
def test_deviation_of_the_radius_is_the_amplitude(amplitude):
    relative = []
    for seed in range(60):
        radius = radii(
            Scene(FINE, objects_of((15.05, 15.05), (8.0, 8.0), seed=seed), StarConvex(amplitude)).draw() > 0
        )
        relative.append(np.mean((radius / radius.mean() - 1) ** 2))
    assert np.sqrt(np.mean(relative)) == pytest.approx(amplitude, rel=0.12)


def test_more_degrees_and_less_decay_make_a_longer_outline():
    def border(shape: StarConvex) -> int:
        mask = Scene(FINE, objects_of((15.05, 15.05), (9.0, 9.0)), shape).draw() > 0
        return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())

    assert border(StarConvex(0.15, degrees=12, decay=0.2)) > 1.05 * border(StarConvex(0.15, degrees=3))


def test_each_key_has_an_outline_of_its_own():
    first, other = (
        Scene(FINE, objects_of((15.05, 15.05), (9.0, 9.0), seed=seed), StarConvex()).draw() for seed in (0, 1)
    )
    assert 0.02 < (first != other).mean() / (first > 0).mean() < 0.5


@pytest.mark.parametrize("wrong", [{"amplitude": 0.5}, {"amplitude": -0.1}, {"degrees": 1}, {"degrees": 40}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="is between"):
        StarConvex(**wrong)
