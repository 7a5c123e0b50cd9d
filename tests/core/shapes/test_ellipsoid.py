"""Ellipsoids: what is drawn agrees with the formula, in physical units, whatever box is asked for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.grid import Box, Grid
from cellsynth.core.lattice import noise
from cellsynth.core.rng import Key
from cellsynth.core.scene import Objects, Scene
from cellsynth.core.shapes import Ellipsoid, draw_ellipsoids
from cellsynth.core.shapes.ellipsoid import _OUTLINE_SD

GRIDS = {
    "2D": Grid(shape_px=(31, 47), voxel_um=(0.7, 0.4)),
    "3D": Grid(shape_px=(7, 31, 47), voxel_um=(2.0, 0.7, 0.4)),
}


def objects_of(centre_um, semi_axes_um, rotation=None) -> Objects:
    centre_um = np.atleast_2d(np.asarray(centre_um, float))
    semi_axes_um = np.atleast_2d(np.asarray(semi_axes_um, float))
    n, d = centre_um.shape
    if rotation is None:
        rotation = np.broadcast_to(np.eye(d), (n, d, d))
    keys = np.array([Key.from_seed(5).child("object", i).uint64() for i in range(n)], np.uint64)
    return Objects(centre_um, semi_axes_um, np.array(rotation), np.ones(n), np.ones(n, np.int32), keys)


def random_objects(grid: Grid, n: int, seed: int) -> Objects:
    """Rotated objects that overlap each other and the border."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.standard_normal((n, grid.ndim, grid.ndim)))[0]
    return objects_of(
        rng.uniform(-0.1, 1.1, (n, grid.ndim)) * grid.extent_um,
        rng.uniform(0.8, 3.5, (n, grid.ndim)),
        rotation,
    )


def drawn_by_formula(objects: Objects, grid: Grid) -> np.ndarray:
    """Every voxel against every object: |diag(1/a) R^T (x - c)| smallest and below 1."""
    points = np.stack(
        np.meshgrid(
            *[(np.arange(n) + 0.5) * v for n, v in zip(grid.shape_px, grid.voxel_um, strict=True)],
            indexing="ij",
        ),
        -1,
    )
    offset = points[..., None, :] - objects.centre_um
    local = np.einsum("...ni,nij->...nj", offset, objects.rotation) / objects.semi_axes_um
    distance = np.sqrt((local**2).sum(-1))
    nearest = distance.argmin(-1)
    return np.where(distance.min(-1) < 1, nearest + 1, 0)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("seed", range(4))
def test_labels_agree_with_the_formula_on_every_voxel(grid, seed):
    objects = random_objects(grid, 12, seed)
    labels = Scene(grid, objects, Ellipsoid()).draw()
    assert labels.dtype == np.int32
    assert len(np.unique(labels)) > 5
    assert np.array_equal(labels, drawn_by_formula(objects, grid))


@pytest.mark.parametrize("irregularity", [0.0, 0.35])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_labels_of_any_box_are_the_crop_of_the_whole(grid, irregularity):
    scene = Scene(grid, random_objects(grid, 12, 1), Ellipsoid(irregularity))
    whole = scene.draw()

    @given(st.tuples(*[st.tuples(st.integers(0, n), st.integers(0, n)).map(sorted) for n in grid.shape_px]))
    def check(edges):
        box = Box(tuple(start for start, _ in edges), tuple(stop for _, stop in edges))
        assert np.array_equal(scene.draw(box), whole[box.slices])

    check()


@pytest.mark.parametrize(("a", "b"), [(20.0, 20.0), (25.0, 9.0)])
def test_area_of_an_ellipse_is_pi_a_b(a, b):
    grid = Grid(shape_px=(301, 403), voxel_um=(0.25, 0.2))
    turn = math.radians(30)
    rotation = [[[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]]
    labels = Scene(grid, objects_of((37.0, 41.0), (a, b), rotation), Ellipsoid()).draw()
    assert (labels == 1).sum() * 0.25 * 0.2 == pytest.approx(math.pi * a * b, rel=2e-3)


def test_volume_of_an_ellipsoid_is_four_thirds_pi_a_b_c():
    grid = Grid(shape_px=(41, 83, 105), voxel_um=(0.5, 0.25, 0.2))
    labels = Scene(grid, objects_of((10.0, 10.3, 10.4), (9.0, 5.0, 7.0)), Ellipsoid()).draw()
    assert (labels == 1).sum() * 0.5 * 0.25 * 0.2 == pytest.approx(4 / 3 * math.pi * 9 * 5 * 7, rel=2e-3)


def test_column_of_the_rotation_is_the_direction_of_its_semi_axis():
    grid = Grid(shape_px=(41, 41), voxel_um=(1.0, 1.0))
    s = math.sqrt(0.5)
    # The long axis points to (+y, +x): towards the last row and the last column.
    labels = Scene(grid, objects_of((20.5, 20.5), (18.0, 3.0), [[[s, -s], [s, s]]]), Ellipsoid()).draw()
    assert labels[30, 30] == 1
    assert labels[10, 10] == 1
    assert labels[30, 10] == 0
    assert labels[10, 30] == 0


def test_a_voxel_belongs_to_the_object_whose_scaled_distance_is_smallest():
    grid = Grid(shape_px=(21, 41), voxel_um=(1.0, 1.0))
    # Column 20 is 8 from the first centre of radius 16 and 4 from the second of radius 6: 0.5 against 0.67.
    labels = Scene(grid, objects_of([(10.5, 12.5), (10.5, 24.5)], [(9, 16), (5, 6)]), Ellipsoid()).draw()
    assert labels[10, 20] == 1
    assert labels[10, 23] == 2


@pytest.mark.parametrize("radius", [7.0, 7.1, 7.3, 7.7])
def test_equal_distances_go_to_the_lower_label(radius):
    grid = Grid(shape_px=(15, 21), voxel_um=(1.0, 1.0))
    labels = Scene(grid, objects_of([(7.5, 5.5), (7.5, 15.5)], [(radius,) * 2] * 2), Ellipsoid()).draw()
    middle = labels[:, 10]  # as far from one as from the other
    assert set(np.unique(middle)) == {0, 1}


def test_outline_wavers_within_the_irregularity():
    grid = Grid(shape_px=(91, 91), voxel_um=(1.0, 1.0))
    objects = objects_of((45.5, 45.5), (30.0, 30.0))
    smooth, rough = (Scene(grid, objects, Ellipsoid(i)).draw() > 0 for i in (0.0, 0.3))
    inner, outer = (
        Scene(grid, objects_of((45.5, 45.5), (r, r)), Ellipsoid()).draw() > 0 for r in (30 * 0.7, 30 * 1.3)
    )
    assert not (inner & ~rough).any()
    assert not (rough & ~outer).any()
    assert 0.02 < (smooth ^ rough).mean() / smooth.mean() < 0.4


def test_distance_is_zero_at_the_centre_one_on_the_outline_and_one_in_background():
    grid = Grid(shape_px=(21, 41), voxel_um=(1.0, 1.0))
    labels, r = draw_ellipsoids(objects_of((10.5, 20.5), (8.0, 16.0)), grid, grid.box)
    assert r.dtype == np.float32
    assert r[10, 20] == 0
    assert r[10, 28] == pytest.approx(0.5)
    assert r[14, 20] == pytest.approx(0.5)
    assert (r[labels == 0] == 1).all()
    assert (r[labels == 1] < 1).all()


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_no_object_gives_an_empty_image(grid):
    none = objects_of(np.empty((0, grid.ndim)), np.empty((0, grid.ndim)))
    assert not Scene(grid, none, Ellipsoid()).draw().any()


def test_object_of_half_a_voxel_is_drawn_where_its_centre_is():
    grid = Grid(shape_px=(5, 7), voxel_um=(1.0, 1.0))
    labels = Scene(grid, objects_of((2.5, 3.5), (0.2, 0.2)), Ellipsoid()).draw()
    assert np.argwhere(labels).tolist() == [[2, 3]]


@pytest.mark.parametrize("ndim", [2, 3])
def test_deviation_of_the_noise_over_the_outline_is_what_volumes_count_with(ndim):
    rng = np.random.default_rng(0)
    direction = rng.standard_normal((20_000, 3)) * ([0, 1, 1] if ndim == 2 else [1, 1, 1])
    z, y, x = 1.2 * (direction / np.linalg.norm(direction, axis=1, keepdims=True)).T
    keys = rng.integers(0, 2**63, 20_000).astype(np.uint64)
    values = [noise(*place) for place in zip(keys, z, y, x, strict=True)]
    assert np.std(values) == pytest.approx(_OUTLINE_SD[ndim], rel=0.03)
