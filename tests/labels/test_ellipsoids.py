"""Ellipsoids: what a recipe asks for is what comes out."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Grid
from cellsynth.labels.ellipsoids import Ellipsoids

FIELD = Grid(shape_px=(601, 801), voxel_um=(0.5, 0.5))
AREA_MM2 = 601 * 801 * 0.25e-6


def objects_of(key, grid=FIELD, n_scenes=1, **values):
    """Objects whose centre lies in the grid, of several scenes."""
    function = Ellipsoids.parse(values).build(grid)
    tables = [function(key.child(i)).objects for i in range(n_scenes)]
    return [t.take(np.all((t.centre_um > 0) & (t.centre_um < grid.extent_um), axis=1)) for t in tables]


def radii(tables):
    return np.concatenate([np.prod(t.semi_axes_um, axis=1) ** (1 / t.semi_axes_um.shape[1]) for t in tables])


def test_the_radius_has_the_median_and_spread_asked_for(key):
    tables = objects_of(key, n_scenes=6, n_cells=120, radius_um={"median": 5, "log_sd": 0.2}, touching=0)
    found = np.log(radii(tables))
    assert np.exp(np.median(found)) == pytest.approx(5, rel=0.03)
    assert found.std() == pytest.approx(0.2, rel=0.12)


def test_a_drawn_cell_has_the_area_of_its_radius(key):
    grid = Grid(shape_px=(401, 501), voxel_um=(0.25, 0.25))
    scene = Ellipsoids(n_cells=8, radius_um=5, axis_ratio=[0.5, 0.9], touching=0).build(grid)(key)
    labels = scene.draw()
    whole = np.setdiff1d(
        labels[labels > 0], np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    )
    areas = np.bincount(labels.ravel())[whole] * 0.25**2
    assert len(areas) > 3
    assert areas == pytest.approx(np.pi * 25, rel=0.01)


def test_the_axis_ratio_is_the_one_asked_for(key):
    axes = np.concatenate([t.semi_axes_um for t in objects_of(key, n_scenes=3, axis_ratio=[0.4, 0.8])])
    ratio = axes[:, 0] / axes[:, 1]
    assert 0.4 <= ratio.min() < 0.45
    assert 0.75 < ratio.max() <= 0.8


def test_an_axis_ratio_above_one_is_cut_off(key):
    axes = np.concatenate(
        [t.semi_axes_um for t in objects_of(key, axis_ratio={"median": 0.95, "log_sd": 0.3})]
    )
    assert (axes[:, 0] <= axes[:, 1]).all()


def test_the_number_of_cells_in_the_field_is_the_one_asked_for(key):
    counts = [len(t) for t in objects_of(key, n_scenes=30, n_cells=100, touching=0, radius_um=3)]
    assert np.mean(counts) == pytest.approx(100, abs=3.5 * np.sqrt(100 / 30))


def test_a_range_of_counts_is_used_in_full(key):
    counts = [len(t) for t in objects_of(key, n_scenes=40, n_cells=[10, 100], touching=0, radius_um=2)]
    assert min(counts) < 25
    assert max(counts) > 80
    assert np.mean(counts) == pytest.approx(55, abs=3.5 * 28 / 40**0.5)


def test_the_density_is_the_one_asked_for(key):
    tables = objects_of(key, n_scenes=20, n_cells=None, density_per_mm2=1000, radius_um=3, touching=0)
    expected = 1000 * AREA_MM2
    assert np.mean([len(t) for t in tables]) == pytest.approx(expected, abs=3.5 * (expected / 20) ** 0.5)


def test_the_border_sees_as_many_cells_as_the_middle(key):
    labels = [Ellipsoids(n_cells=60).build(FIELD)(key.child(i)).draw() > 0 for i in range(12)]
    covered = np.mean(labels, axis=0)
    border = np.concatenate([covered[:30].ravel(), covered[-30:].ravel(), covered[:, :30].ravel()])
    assert border.mean() == pytest.approx(covered[200:400, 200:600].mean(), rel=0.25)


def contacts(labels):
    """Share of cells with another one at most a pixel away."""
    n = labels.max()
    touching = 0
    for i in range(1, n + 1):
        ring = binary_dilation(labels == i, iterations=2) & (labels != i)
        touching += bool((labels[ring] > 0).any())
    return touching / max(n, 1)


def test_more_cells_touch_when_more_are_asked_to(key):
    grid = Grid(shape_px=(301, 401), voxel_um=(0.5, 0.5))
    shares = []
    for touching in (0.0, 0.3, 0.8):
        config = Ellipsoids(n_cells=25, radius_um=5, touching=touching, min_gap_um=2.0)
        shares.append(np.mean([contacts(config.build(grid)(key.child(i)).draw()) for i in range(4)]))
    assert shares[0] == 0
    assert all(b > a + 0.15 for a, b in pairwise(shares))


def test_cells_keep_the_gap_and_do_not_overlap(key):
    table = objects_of(key, n_cells=150, radius_um=5, axis_ratio=1.0, touching=0, min_gap_um=1.5)[0]
    distance = np.linalg.norm(table.centre_um[:, None] - table.centre_um[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert distance.min() >= 2 * 5 + 1.5 - 1e-6


def test_round_cells_in_contact_meet_in_a_point_or_overlap_as_asked(key):
    for overlap in (0.0, 0.4):
        table = objects_of(key, n_cells=150, radius_um=5, axis_ratio=1.0, touching=0.8, overlap=overlap)[0]
        distance = np.linalg.norm(table.centre_um[:, None] - table.centre_um[None], axis=-1)
        np.fill_diagonal(distance, np.inf)
        nearest = distance.min(axis=1)
        assert nearest.min() >= 10 * (1 - overlap) - 1e-6
        assert (nearest <= 10 + 1e-6).mean() > 0.5


def test_intensity_and_its_link_to_the_size_are_the_ones_asked_for(key):
    tables = objects_of(
        key,
        n_scenes=6,
        n_cells=120,
        radius_um={"median": 4, "log_sd": 0.2},
        intensity={"median": 2, "log_sd": 0.4},
        size_brightness=-0.6,
        touching=0,
    )
    logs = np.log(np.concatenate([t.intensity for t in tables]))
    assert np.exp(np.median(logs)) == pytest.approx(2, rel=0.06)
    assert logs.std() == pytest.approx(0.4, rel=0.1)
    assert np.corrcoef(logs, np.log(radii(tables)))[0, 1] == pytest.approx(-0.6, abs=0.1)


def test_patches_are_denser_than_the_rest(key):
    def spread_of_counts(patchiness):
        """Variance over mean of the counts in squares of the size of a patch, 8 radii; 1 for a Poisson process."""
        tables = objects_of(key, n_scenes=2, n_cells=3000, radius_um=1, patchiness=patchiness, touching=0)
        bins = [np.arange(0, n, 8) for n in FIELD.extent_um]
        counts = np.concatenate([np.histogram2d(*t.centre_um.T, bins)[0].ravel() for t in tables])
        return counts.var() / counts.mean()

    even, patchy, very_patchy = (spread_of_counts(p) for p in (0.0, 1.0, 2.0))
    assert even < 1  # cells that may not overlap are spread more evenly than points
    assert even + 0.05 < patchy < very_patchy - 0.1


def test_orientations_are_spread_evenly(key):
    turns = np.concatenate([t.rotation for t in objects_of(key, n_scenes=5, n_cells=120)])
    major = turns[:, :, 1]
    assert np.abs((major[:, :, None] * major[:, None, :]).mean(axis=0) - np.eye(2) / 2).max() < 0.06
    volume = Grid(shape_px=(60, 200, 200), voxel_um=(1, 1, 1))
    turns = np.concatenate([t.rotation for t in objects_of(key, grid=volume, n_scenes=4, n_cells=150)])
    major = turns[:, :, 2]
    assert np.abs((major[:, :, None] * major[:, None, :]).mean(axis=0) - np.eye(3) / 3).max() < 0.06


@pytest.mark.parametrize(
    ("values", "grid"),
    [
        ({"n_cells": 10**9}, Grid(shape_px=(61, 83))),
        ({"n_cells": None, "density_per_mm2": 1e9}, Grid(shape_px=(61, 83))),
        ({"n_cells": (3, 20_000)}, Grid(shape_px=(5, 31, 47), voxel_um=(1, 1, 1))),
    ],
)
def test_more_cells_than_can_ever_be_placed_are_refused(values, grid):
    with pytest.raises(RecipeError, match="they would cover it .* Give fewer or smaller cells"):
        Ellipsoids(**values).build(grid)


def test_a_crowded_field_keeps_fewer_and_ends(key):
    tables = objects_of(key, grid=Grid(shape_px=(100, 100)), n_cells=500, radius_um=8)
    assert 10 < len(tables[0]) < 60


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"density_per_mm2": 5.0}, "give either n_cells or density_per_mm2"),
        ({"n_cells": None}, "give either n_cells or density_per_mm2"),
        ({"n_cells": [5, 3]}, r"a range \[fewest, most\]; saw \[5, 3\]"),
        ({"n_cells": -1}, "greater than or equal to 0"),
        ({"axis_ratio": 1.5}, "at most 1; its median is 1.5"),
        ({"axis_ratio": [0.9, 1.3]}, "at most 1; its median is 1.1"),
        ({"touching": 1.2}, "less than or equal to 1"),
        ({"placement": "adgan", "radius_um": 5}, r"needs radius_um: \[smallest, largest\]"),
        ({"placement": "adgan", "n_cells": None, "density_per_mm2": 9}, "not a density"),
        ({"eccentricity": [0.7, 0.2]}, r"a range \[least, most\]"),
        ({"n_cels": 3}, "did you mean 'n_cells'"),
    ],
)
def test_what_does_not_go_together_is_refused(values, reason):
    with pytest.raises(RecipeError, match=reason):
        Ellipsoids.parse(values)


def test_a_density_per_area_is_refused_for_a_volume():
    config = Ellipsoids(n_cells=None, density_per_mm2=10)
    with pytest.raises(RecipeError, match="give n_cells for a volume"):
        config.build(Grid(shape_px=(5, 31, 47), voxel_um=(1, 1, 1)))
