"""Mixed populations: one of them is as if alone, and touching cells of two shapes share fairly."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.core.grid import Grid
from cellsynth.core.scene import Scene
from cellsynth.core.shapes import Ellipsoid, Mixed, Pixels, Rod, StarConvex, Superellipsoid
from tests.core.shapes.scenes import GRIDS, objects_of, random_objects


@pytest.mark.parametrize("ndim", [2, 3])
def test_classes_that_share_a_shape_are_drawn_as_one(ndim):
    grid = GRIDS[ndim]
    objects = random_objects(grid, 20, 0)
    mixed = Mixed(dict.fromkeys((1, 2, 3, 4), StarConvex()))
    assert np.array_equal(Scene(grid, objects, mixed).draw(), Scene(grid, objects, StarConvex()).draw())


@pytest.mark.parametrize("classes", [(1, 2), (2, 1)])
def test_equal_distances_go_to_the_lower_label_whichever_class_it_has(classes):
    grid = Grid(shape_px=(15, 21), voxel_um=(1.0, 1.0))
    objects = objects_of([(7.5, 5.5), (7.5, 15.5)], [(7.3, 7.3)], class_id=classes)
    labels = Scene(grid, objects, Mixed({1: Ellipsoid(), 2: Ellipsoid(0.0, lobes=2.0)})).draw()
    assert set(np.unique(labels[:, 10])) == {0, 1}


def test_two_shapes_of_one_size_meet_half_way():
    grid = Grid(shape_px=(31, 61), voxel_um=(1.0, 1.0))
    objects = objects_of([(15.5, 20.5), (15.5, 40.5)], [(12.0, 12.0)], class_id=(1, 2))
    labels = Scene(grid, objects, Mixed({1: Ellipsoid(), 2: Superellipsoid(4.0)})).draw()
    assert labels[15, 20:41].tolist() == [1] * 11 + [2] * 10


def test_every_object_has_the_factor_and_the_box_of_its_shape():
    grid = GRIDS[2]
    objects = objects_of(np.full((4, 2), 10.0), [(2.0, 5.0)], class_id=(2, 1, 2, 1))
    mixed = Mixed({1: Rod(dividing=0), 2: Superellipsoid(4.0)})
    factor = mixed.volume_factor(objects, grid)
    assert factor[0] == factor[2] != factor[1] == factor[3]
    assert mixed.half_extents_um(objects, grid) == pytest.approx(np.tile((2.0, 5.0), (4, 1)))


def test_a_class_without_a_shape_is_refused():
    with pytest.raises(InputError, match=r"class 3.*\[1, 2\]"):
        Scene(GRIDS[2], objects_of((5, 5), (2, 2), class_id=[3]), Mixed({1: Rod(), 2: Rod()})).draw()


def test_labels_that_are_there_already_cannot_be_mixed():
    with pytest.raises(InputError, match="Pixels"):
        Mixed({1: Pixels(np.zeros((5, 7), np.int32))})
