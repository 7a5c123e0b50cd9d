"""Grid and Box: physical sizes, and boxes that cover every voxel once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Box, Grid

shapes = st.integers(2, 3).flatmap(
    lambda d: st.tuples(
        st.tuples(*[st.integers(1, 12)] * d),  # the grid
        st.tuples(*[st.integers(1, 14)] * d),  # the boxes, which may be larger
    )
)


@given(shapes)
def test_boxes_cover_every_voxel_once(case):
    shape_px, box_px = case
    grid = Grid(shape_px=shape_px, voxel_um=(1.0,) * len(shape_px))
    covered = np.zeros(shape_px, int)
    for box in grid.boxes(box_px):
        assert all(n <= limit for n, limit in zip(box.shape, box_px, strict=True))
        assert covered[box.slices].shape == box.shape
        covered[box.slices] += 1
    assert (covered == 1).all()


def test_boxes_come_in_c_order_and_the_last_ones_are_smaller():
    boxes = Grid(shape_px=(5, 7), voxel_um=(1.0, 1.0)).boxes((3, 4))
    assert [(b.start, b.stop) for b in boxes] == [
        ((0, 0), (3, 4)),
        ((0, 4), (3, 7)),
        ((3, 0), (5, 4)),
        ((3, 4), (5, 7)),
    ]


def test_sizes_follow_from_shape_and_voxel():
    grid = Grid(shape_px=(5, 31, 47), voxel_um=(2.0, 0.5, 0.25))
    assert grid.ndim == 3
    assert grid.n_voxels == 5 * 31 * 47
    assert grid.extent_um == (10.0, 15.5, 11.75)
    assert grid.box == Box((0, 0, 0), (5, 31, 47))


def test_lengths_are_pixels_where_the_scale_is_unknown():
    assert Grid().unit == "um"
    assert Grid(is_scale_known=False).unit == "px"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"shape_px": [5, 7, 9], "voxel_um": [1, 1]}, "shape_px has 3 axes and voxel_um has 2"),
        ({"shape_px": [5], "voxel_um": [1]}, "shape_px"),
        ({"shape_px": [5, 0]}, "shape_px.1"),
        ({"voxel_um": [1, -0.5]}, "voxel_um.1"),
        ({"voxel_um": [1, float("nan")]}, "voxel_um.1"),
    ],
)
def test_impossible_grids_are_refused_by_the_name_of_the_field(wrong, said):
    with pytest.raises(RecipeError, match=said):
        Grid.parse(wrong)
