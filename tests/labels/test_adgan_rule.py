"""The published placement rule of AD-GAN: counts, sizes and rejections as the paper's code has them."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.labels._adgan_rule import place_by_rejection
from cellsynth.labels.ellipsoids import Ellipsoids

GRID = Grid(shape_px=(256, 256))
VOLUME = Grid(shape_px=(31, 63, 65), voxel_um=(1, 1, 1))


def placed(key, grid=GRID, n=(5, 15), radius=(20, 30), eccentricity=(0.25, 0.75)):
    return place_by_rejection(grid, n, radius, eccentricity, key.generator())


def test_the_count_lies_in_the_range_and_uses_it(key):
    # A real number is drawn, and the rule stops when the count has reached it: 5 only for a draw of 5 exactly.
    counts = [len(placed(key.child(i), radius=(8, 12))[0]) for i in range(150)]
    assert (min(counts), max(counts)) == (6, 15)
    assert np.mean(counts) == pytest.approx(10.5, abs=3.5 * 2.9 / 150**0.5)


def test_axes_are_whole_voxels_and_keep_the_eccentricity(key):
    axes = np.concatenate([placed(key.child(i))[1] for i in range(60)])
    minor, major = axes.T
    assert np.array_equal(axes, np.round(axes))
    assert (major.min(), major.max()) == (20, 29)  # rounded down, so 30 does not occur
    # sqrt(1 - e^2) lies between 0.661 and 0.968, before the rounding down.
    assert (minor <= np.floor(0.9683 * major)).all()
    assert (minor >= np.floor(0.6614 * major)).all()


def test_centres_are_voxels_and_cover_the_grid(key):
    centres = np.concatenate([placed(key.child(i))[0] for i in range(60)])
    assert np.array_equal(centres - 0.5, np.round(centres - 0.5))
    assert (centres > 0).all()
    assert (centres < 256).all()
    assert centres.mean(axis=0) == pytest.approx([128, 128], abs=15)


@pytest.mark.parametrize("grid", [GRID, VOLUME], ids=["2d", "3d"])
def test_no_two_overlap(key, grid):
    radius = (20, 30) if grid.ndim == 2 else (5, 9)
    for i in range(3):
        centre, axes, rotation = placed(key.child(i), grid, (20, 30), radius)
        points = np.stack(np.meshgrid(*[np.arange(n) + 0.5 for n in grid.shape_px], indexing="ij"), -1)
        times = np.zeros(grid.shape_px, int)
        for c, a, r in zip(centre, axes, rotation, strict=True):
            times += ((((points - c) @ r) / a) ** 2).sum(-1) < 1
        assert times.max() == 1


def test_it_gives_up_after_more_than_a_hundred_rejections_in_a_row(key):
    centre, axes, _ = placed(key, Grid(shape_px=(100, 100)), n=(500, 500), radius=(20, 30))
    assert 1 <= len(centre) < 12
    assert len(axes) == len(centre)


def test_a_fixed_number_is_met(key):
    assert len(placed(key, n=(7, 7), radius=(5, 9))[0]) == 7
    assert len(placed(key, n=(0, 0))[0]) == 0


def test_lengths_follow_the_voxel_size(key):
    fine = Grid(shape_px=(256, 256), voxel_um=(0.5, 0.5))
    centre, axes, _ = placed(key, fine, radius=(10, 15))
    reference, reference_axes, _ = placed(key, GRID, radius=(20, 30))
    assert np.allclose(centre, reference * 0.5)
    assert np.allclose(axes, reference_axes * 0.5)


def test_rotations_of_a_volume_are_proper(key):
    turns = placed(key, VOLUME, (20, 20), (5, 8))[2]
    assert np.linalg.det(turns) == pytest.approx(1)


def test_the_recipe_option_draws_what_the_rule_places(key):
    config = Ellipsoids.parse({"placement": "adgan", "n_cells": [5, 15], "radius_um": [20, 30]})
    scene = config.build(GRID)(key)
    labels = scene.draw()
    assert labels.max() == len(scene.objects)
    assert 6 <= labels.max() <= 15
    areas = np.bincount(labels.ravel())[1:]
    semi = scene.objects.semi_axes_um
    reach = semi[:, 1]
    is_whole = np.all(
        (scene.objects.centre_um > reach[:, None]) & (scene.objects.centre_um < 256 - reach[:, None]), 1
    )
    assert areas[is_whole] == pytest.approx(np.pi * semi[is_whole].prod(axis=1), rel=0.02)
