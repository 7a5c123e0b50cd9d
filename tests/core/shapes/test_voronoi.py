"""Cells of a tessellation against every voxel's distance to every seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellsynth.core.field import LatticeField
from cellsynth.core.grid import Box, Grid
from cellsynth.core.nearest import nearest_labels
from cellsynth.core.scene import Objects, Scene
from cellsynth.core.shapes import Enclosed, Voronoi
from cellsynth.core.tessellation import Tessellation
from cellsynth.core.warp import Warp

GRIDS = {
    2: Grid(shape_px=(47, 61), voxel_um=(0.5, 0.7)),
    3: Grid(shape_px=(13, 31, 37), voxel_um=(1.5, 0.8, 0.6)),
}


def tessellation(
    grid: Grid, n: int, seed: int = 0, *, amplitude: float = 0.0, spread: float = 0.0, reach: float = 99.0
):
    rng = np.random.default_rng(seed)
    seeds = np.full((n, 3), 0.5)
    seeds[:, 3 - grid.ndim :] = rng.uniform(-0.1, 1.1, (n, grid.ndim)) * grid.extent_um
    weights = rng.uniform(0, spread, n)
    keys = rng.permutation(n).astype(np.uint64) * np.uint64(5) + np.uint64(3)
    return Tessellation(
        seeds, weights, keys, np.full(n, reach), Warp(11, amplitude, 6.0), None, grid.ndim == 2
    )


def scene(grid: Grid, diagram: Tessellation, part="cells", membrane_um=1.5) -> Scene:
    d, n = grid.ndim, len(diagram)
    objects = Objects(
        np.ascontiguousarray(diagram.seed_um[:, 3 - d :]), np.full((n, d), 2.0), np.tile(np.eye(d), (n, 1, 1)),
        np.ones(n), np.ones(n, np.int32), diagram.key,
    )  # fmt: skip
    return Scene(grid, objects, Voronoi(diagram, part, membrane_um))


def powers(grid: Grid, diagram: Tessellation) -> np.ndarray:
    """(voxels, seeds)"""
    points = (np.argwhere(np.ones(grid.shape_px)) + 0.5) * grid.voxel_um
    offset = points[:, None] - diagram.seed_um[None, :, 3 - grid.ndim :]
    return (offset**2).sum(axis=2) - diagram.weight_um2


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("spread", [0.0, 6.0])
@pytest.mark.parametrize("n", [1, 2, 60])
def test_a_voxel_belongs_to_the_seed_of_least_power(ndim, spread, n):
    grid = GRIDS[ndim]
    diagram = tessellation(grid, n, spread=spread)
    labels = scene(grid, diagram).draw()
    assert np.array_equal(labels.ravel(), powers(grid, diagram).argmin(axis=1) + 1)


def test_cells_of_equal_weight_are_those_of_the_nearest_label():
    grid = GRIDS[3]
    seeds = np.zeros(grid.shape_px, np.int32)
    place = np.random.default_rng(4).permutation(grid.n_voxels)[:25]
    seeds.ravel()[place] = np.arange(1, 26)
    diagram = tessellation(grid, 25)
    centre = (np.array(np.unravel_index(place, grid.shape_px)).T + 0.5) * grid.voxel_um
    diagram = Tessellation(centre, np.zeros(25), diagram.key, diagram.reach_um, diagram.warp, None)
    expected, _ = nearest_labels(seeds, grid.voxel_um)
    differ = scene(grid, diagram).draw() != expected
    gap = np.sort(powers(grid, diagram), axis=1)
    assert (gap[differ.ravel(), 1] - gap[differ.ravel(), 0] < 1e-6).all()  # ties
    assert differ.mean() < 0.02


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_wall_of_two_cells_is_their_bisector_and_the_membrane_lies_along_it(ndim):
    grid = Grid(shape_px=(5, 41, 200)[-ndim:], voxel_um=(1.0, 1.0, 0.1)[-ndim:])
    seeds = np.array([[0.5, 20.0, 4.0], [0.5, 20.0, 12.0]])
    diagram = Tessellation(
        seeds, np.zeros(2), np.array([8, 9], np.uint64), np.full(2, 99.0), Warp(0, 0, 1), None, ndim == 2
    )
    cells, membranes = scene(grid, diagram).draw(), scene(grid, diagram, "membranes", 1.4).draw()
    x = (np.arange(200) + 0.5) * 0.1
    expected = np.where(x < 8.0, 1, 2)
    assert (cells == expected).all()
    assert (membranes == np.where(np.abs(x - 8.0) < 0.7, expected, 0)).all()


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("spread", [0.0, 6.0])
def test_membranes_are_what_is_near_a_wall_and_interiors_are_the_rest(ndim, spread):
    grid = GRIDS[ndim]
    diagram = tessellation(grid, 40, 1, spread=spread)
    cells, membranes, interiors = (
        scene(grid, diagram, part, 1.6).draw().ravel() for part in ("cells", "membranes", "interiors")
    )
    power, rows = powers(grid, diagram), np.arange(cells.size)
    far = np.linalg.norm(diagram.seed_um[cells - 1][:, None] - diagram.seed_um[None], axis=2)
    above = power - power[rows, cells - 1][:, None]
    wall = np.full(power.shape, np.inf)
    np.divide(above, 2 * far, out=wall, where=far > 0)
    expected = wall.min(axis=1) < 0.8
    assert np.array_equal(membranes, np.where(expected, cells, 0))
    assert np.array_equal(interiors, np.where(expected, 0, cells))


@pytest.mark.parametrize("amplitude", [0.0, 1.0, 2.0])
def test_a_bent_membrane_is_as_thick_as_a_straight_one(amplitude):
    grid = Grid(shape_px=(400, 401), voxel_um=(0.1, 0.1))
    seeds = np.array([[0.5, 20.0, 12.0], [0.5, 20.0, 28.0]])
    diagram = Tessellation(
        seeds, np.zeros(2), np.array([8, 9], np.uint64), np.full(2, 99.0), Warp(1, amplitude, 8.0), None, True
    )
    cells, membranes = scene(grid, diagram).draw(), scene(grid, diagram, "membranes", 2.0).draw()
    depth = np.maximum(ndimage.distance_transform_edt(cells == 1), ndimage.distance_transform_edt(cells == 2))
    expected = depth * 0.1 - 0.05 < 1.0
    assert (expected != (membranes > 0)).sum() < 0.12 * expected.sum()
    assert (membranes > 0).sum() == pytest.approx(expected.sum(), rel=0.05)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("part", ["cells", "membranes", "interiors", "nuclei"])
def test_labels_of_any_box_are_the_crop_of_the_whole(ndim, part):
    grid = GRIDS[ndim]
    diagram = tessellation(grid, 60, 2, amplitude=1.8, spread=3.0).with_seeds_inside().within_sight()
    own = scene(grid, diagram, "interiors" if part == "nuclei" else part)
    if part == "nuclei":
        own = Scene(grid, own.objects, Enclosed(own.shape, 0.2))
    whole = own.paint()
    assert len(np.unique(whole.labels)) > 20

    @settings(max_examples=25)
    @given(st.tuples(*[st.tuples(st.integers(0, n), st.integers(0, n)).map(sorted) for n in grid.shape_px]))
    def check(edges):
        box = Box(tuple(start for start, _ in edges), tuple(stop for _, stop in edges))
        crop = own.paint(box)
        assert np.array_equal(crop.labels, whole.labels[box.slices])
        assert np.array_equal(crop.distance, whole.distance[box.slices])

    check()


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_cell_ends_at_its_reach_and_stays_in_its_box(ndim):
    grid = GRIDS[ndim]
    own = scene(grid, tessellation(grid, 9, 3, amplitude=1.0, reach=4.0))
    labels, half = own.draw(), own.shape.half_extents_um(own.objects, grid)
    assert (labels == 0).any()
    for i in range(9):
        points = (np.argwhere(labels == i + 1) + 0.5) * grid.voxel_um
        assert (np.abs(points - own.objects.centre_um[i]) <= half[i]).all()
        if len(points):
            assert np.linalg.norm(points - own.objects.centre_um[i], axis=1).max() < 4.0 + np.sqrt(3)


def test_a_cell_that_is_no_object_keeps_its_room():
    grid = GRIDS[2]
    own = scene(grid, tessellation(grid, 12, 4))
    whole = own.draw()
    some = Scene(grid, own.objects.take(np.array([7, 2])), own.shape).draw()
    assert np.array_equal(some == 1, whole == 8)
    assert np.array_equal(some == 2, whole == 3)
    assert set(np.unique(some)) == {0, 1, 2}


def test_cells_and_their_membranes_end_at_the_border_of_the_region():
    grid = GRIDS[2]
    depth = np.zeros((2, 3, 2), np.float32)
    depth[:, 0], depth[:, 1], depth[:, 2] = -10.0, 10.0, 10.0
    # The border is at y = 10; a step above and the same beyond.
    walls = LatticeField(depth, np.array([0.0, 0.0, 0.0]), np.array([1.0, 20.0, 100.0]))
    plain = tessellation(grid, 12, 5)
    diagram = Tessellation(
        plain.seed_um, plain.weight_um2, plain.key, plain.reach_um, plain.warp, walls, True
    )
    cells, membranes = scene(grid, diagram).draw(), scene(grid, diagram, "membranes", 1.6).draw()
    y = (np.arange(47) + 0.5) * 0.5
    assert (cells[y <= 10] == 0).all()
    assert np.array_equal(cells[y > 10], scene(grid, plain).draw()[y > 10])
    is_edge = (y > 10) & (y < 10.8)
    assert is_edge.sum() == 2
    assert np.array_equal(membranes[is_edge], cells[is_edge])


@pytest.mark.parametrize("ndim", [2, 3])
def test_measured_extents_are_those_of_the_drawn_cells(ndim):
    grid = Grid(shape_px=(120, 130) if ndim == 2 else (50, 56, 60), voxel_um=(0.4,) * ndim)
    diagram = tessellation(grid, 30 if ndim == 2 else 110, 6).with_seeds_inside()
    labels, extents = scene(grid, diagram).draw(), diagram.extents
    faces = np.concatenate([np.take(labels, e, axis).ravel() for axis in range(ndim) for e in (0, -1)])
    inner = np.setdiff1d(labels, faces)
    assert len(inner) >= 4
    for label in inner:
        points = (np.argwhere(labels == label) + 0.5) * 0.4
        i, first = label - 1, 3 - ndim
        assert extents.volume[i] == pytest.approx(len(points) * 0.4**ndim, rel=0.06)
        assert extents.centroid_um[i, first:] == pytest.approx(points.mean(axis=0), abs=0.4)
        drawn = np.sqrt(np.linalg.eigvalsh(np.cov(points.T)))
        measured = np.sqrt(np.linalg.eigvalsh(extents.covariance[i, first:, first:]))
        assert measured == pytest.approx(drawn, rel=0.08)


def test_a_seed_in_the_cell_of_another_is_dropped():
    seeds = np.array([[0.5, 5.0, 5.0], [0.5, 6.0, 5.0], [0.5, 15.0, 9.0]])
    diagram = Tessellation(
        seeds,
        np.array([30.0, 0.0, 0.0]),
        np.array([1, 2, 3], np.uint64),
        np.full(3, 50.0),
        Warp(0, 0, 1),
        None,
        True,
    )
    assert diagram.with_seeds_inside().key.tolist() == [1, 3]
