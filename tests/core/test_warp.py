import numpy as np
import pytest

from cellsynth.core.canvas import Canvas
from cellsynth.core.grid import Box, Grid
from cellsynth.core.warp import Warp, displacements_in_row, stretch, warped_place


def _at_voxels(warp: Warp, grid: Grid, box: Box) -> np.ndarray:
    canvas = Canvas.blank(grid, box)
    moved = warp.in_canvas(canvas)
    (index_z, index_y, index_x), (share_z, share_y, share_x) = moved.before, moved.share
    n_z, n_y, n_x = canvas.owner.shape
    found = np.empty((n_z, n_y, n_x, 3))
    row = np.empty((moved.at_point.shape[2], 3))
    for z in range(n_z):
        for y in range(n_y):
            displacements_in_row(
                moved.at_point, index_z[z], index_y[y], 0, len(row), share_z[z], share_y[y], row
            )
            found[z, y] = row[index_x] * (1 - share_x)[:, None] + row[index_x + 1] * share_x[:, None]
    return found


@pytest.mark.parametrize("is_flat", [False, True])
def test_a_place_that_is_unwarped_is_looked_up_at_the_given_one(is_flat):
    warp = Warp(7, 1.9, 6.0)
    given = np.random.default_rng(0).uniform(-30, 90, (200, 3))
    if is_flat:
        given[:, 0] = 0.5
    place = warp.unwarped(given, is_flat=is_flat)
    assert np.linalg.norm(place - given, axis=1).max() > 0.5
    assert (place[:, 0] == 0.5).all() == is_flat
    looked_up = [warped_place(np.uint64(7), 1.9, 6.0, is_flat, *row) for row in place]
    assert np.allclose(looked_up, given, rtol=0, atol=1e-6)


def test_a_voxel_moves_alike_in_every_box():
    grid, warp = Grid(shape_px=(7, 31, 23), voxel_um=(1.3, 0.4, 0.7)), Warp(3, 1.5, 5.0)
    whole = _at_voxels(warp, grid, grid.box)
    box = Box((2, 11, 5), (6, 30, 23))
    assert np.array_equal(_at_voxels(warp, grid, box), whole[box.slices])
    assert np.abs(whole).max() <= 1.5
    assert whole.std(axis=(0, 1, 2)) == pytest.approx(1.5 * 0.25, rel=0.35)


def test_voxels_move_as_points_do():
    grid, warp = Grid(shape_px=(9, 33, 37), voxel_um=(0.5, 0.3, 0.3)), Warp(5, 1.0, 6.0)
    moved = _at_voxels(warp, grid, grid.box).reshape(-1, 3)
    points = (np.argwhere(np.ones(grid.shape_px)) + 0.5) * grid.voxel_um
    # Unwarping the place that a voxel is looked up at gives the voxel back, but for the coarse lattice.
    back = warp.unwarped(points + moved, is_flat=False)
    assert np.abs(back - points).max() < 0.15
    assert np.abs(moved).max() > 0.4


def test_stretch_is_how_much_further_apart_neighbours_are_looked_up():
    grid = Grid(shape_px=(3, 3, 2001), voxel_um=(0.01, 0.01, 0.01))
    warp = Warp(2, 1.6, 4.0)
    looked_up = _at_voxels(warp, grid, grid.box)[1, 1] + np.array([0.0, 0.0, 0.01]) * np.arange(2001)[:, None]
    measured = np.linalg.norm(np.diff(looked_up, axis=0), axis=1) / 0.01
    moved = warp.in_canvas(Canvas.blank(grid, grid.box))
    for x in range(0, 2000, 97):
        asked = stretch(
            moved.at_point, moved.before[0][1], moved.before[1][1], moved.before[2][x], moved.share[0][1],
            moved.share[1][1], moved.share[2][x], moved.step_um, 0.0, 0.0, 1.0,
        )  # fmt: skip
        # The gradient of the difference along x, as seen from the wall: along its normal.
        assert asked == pytest.approx(measured[x], abs=0.25)
    assert np.ptp(measured) > 0.3


def test_a_warp_that_would_fold_space_is_refused():
    with pytest.raises(ValueError, match=r"0 to 0\.4 times its length; saw 3"):
        Warp(0, 3.0, 6.0)
