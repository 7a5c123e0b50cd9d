"""Fragments: as many pieces as asked for, apart from each other, inside of the cell that fell apart."""

import numpy as np
import pytest
from scipy.ndimage import label

from cellsynth.core.grid import Grid
from cellsynth.core.shapes import Ellipsoid, Fragments
from tests.core.shapes.scenes import objects_of, random_rotations


@pytest.mark.parametrize("ndim", [2, 3])
def test_pieces_are_separate_and_inside_of_the_ellipsoid(ndim):
    grid = Grid(
        shape_px={2: (141, 151), 3: (81, 91, 101)}[ndim], voxel_um={2: (0.1, 0.12), 3: (0.25, 0.2, 0.2)}[ndim]
    )
    n = 20
    rotation = random_rotations(n, ndim, np.random.default_rng(0))
    middle = np.asarray(grid.extent_um) / 2
    objects = objects_of(np.tile(middle, (n, 1)), [(4.5, 5.0, 6.5)[-ndim:]], rotation)
    counts = []
    for i in range(n):
        one = objects.take(np.array([i]))
        pieces = Fragments((3, 6), 0.08).draw(one, grid, grid.box)
        assert not pieces[Ellipsoid().draw(one, grid, grid.box) == 0].any()
        counts.append(label(pieces)[1])
    assert set(counts) <= set(range(2, 7))  # two that nearly touch are one on a grid
    assert np.mean(counts) == pytest.approx(4.5, abs=0.8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (((0, 3), 0.05), "within 1 to 40"),
        (((5, 3), 0.05), "fewest"),
        (((3, 41), 0.05), "saw \\(3, 41\\)"),
        (((3, 8), 0.0), "above 0"),
        (((3, 8), 0.5), "at most 0.3"),
    ],
)
def test_what_is_no_debris_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Fragments(*values)
