"""Branched cells: in one piece on any grid, as long as asked, with as many processes as asked."""

import numpy as np
import pytest
from scipy.ndimage import label

from cellsynth.core.grid import Grid
from cellsynth.core.scene import Scene
from cellsynth.core.shapes import Branched, Ellipsoid
from tests.core.shapes.scenes import objects_of, random_rotations

# From fine to so coarse that processes are thinner than a voxel.
GRIDS = [
    Grid(shape_px=(301, 301), voxel_um=(0.2, 0.2)),
    Grid(shape_px=(61, 91), voxel_um=(1.0, 0.66)),
    Grid(shape_px=(61, 121, 121), voxel_um=(1.0, 0.5, 0.5)),
    Grid(shape_px=(31, 41, 31), voxel_um=(2.0, 1.5, 2.0)),
]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("shape", [Branched(), Branched((8, 12), reach=6, width=0.1, bend=0.5, branching=4)])
def test_a_cell_is_in_one_piece(grid, shape):
    everywhere = np.ones((3,) * grid.ndim)
    for seed in range(6):
        rotation = random_rotations(1, grid.ndim, np.random.default_rng(seed))
        objects = objects_of(np.array(grid.extent_um) / 2, (3.5, 4.0, 5.0)[-grid.ndim :], rotation, seed=seed)
        mask = Scene(grid, objects, shape).draw() > 0
        assert label(mask, everywhere)[1] == 1


def processes(mask: np.ndarray, radius_um: float) -> int:
    """Pieces of the cell that a thin ring around its centre cuts through."""
    y, x = np.indices(mask.shape) * 0.2 + 0.1 - 30.1
    r = np.hypot(y, x)
    return label(mask & (r > radius_um) & (r < radius_um + 0.6), np.ones((3, 3)))[1]


@pytest.mark.parametrize("n", [0, 3, 6])
def test_as_many_processes_leave_the_soma_as_asked(n):
    counts = []
    for seed in range(10):
        objects = objects_of((30.1, 30.1), (4.0, 4.0), seed=seed)
        counts.append(processes(Scene(GRIDS[0], objects, Branched((n, n), branching=0)).draw() > 0, 6.5))
    assert np.mean(counts) == pytest.approx(n, abs=0.7)  # two may leave side by side


def test_branching_makes_more_ends_than_beginnings():
    def ends(shape: Branched) -> float:
        objects = [objects_of((30.1, 30.1), (4.0, 4.0), seed=seed) for seed in range(10)]
        return np.mean([processes(Scene(GRIDS[0], o, shape).draw() > 0, 13.0) for o in objects])

    assert ends(Branched((6, 6), branching=3)) > 1.5 * ends(Branched((6, 6), branching=0))


@pytest.mark.parametrize("reach", [2.0, 5.0])
def test_processes_reach_as_far_as_asked_and_no_further(reach):
    shape = Branched((8, 8), reach=reach, bend=0.0)
    mask = Scene(GRIDS[0], objects_of((30.1, 30.1), (4.0, 4.0)), shape).draw() > 0
    far = np.hypot(*(np.argwhere(mask).T * 0.2 - 30)).max()
    assert 0.75 * reach * 4 < far < reach * 4 + 1.5


def test_without_processes_it_is_the_ellipsoid():
    objects = objects_of((30.1, 30.1), (4.0, 6.0))
    assert np.array_equal(*(Scene(GRIDS[0], objects, s).draw() for s in (Branched((0, 0)), Ellipsoid())))


def test_a_process_tapers():
    objects = objects_of((30.1, 30.1), (4.0, 4.0))
    mask = Scene(GRIDS[0], objects, Branched((1, 1), reach=6, bend=0.0, branching=0)).draw() > 0
    y, x = np.indices(mask.shape) * 0.2 + 0.1 - 30.1
    r = np.hypot(y, x)
    width = [(mask & (r > a) & (r < a + 1)).sum() * 0.04 for a in (5.0, 8.0, 12.0)]
    assert width[0] > width[1] > width[2] > 0.5


@pytest.mark.parametrize(
    "wrong",
    [{"n_processes": (3, 2)}, {"n_processes": (0, 99)}, {"reach": 0.5}, {"width": 2}, {"branching": 9}],
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="saw"):
        Branched(**wrong)
