"""What every label generator promises, whatever its method."""

import numpy as np
import pytest

from cellsynth.core.grid import Box, Grid
from cellsynth.core.rng import Key
from cellsynth.io.yaml import parse_yaml, read_yaml, write_yaml
from cellsynth.labels.base import registry

PLANE = Grid(shape_px=(61, 83), voxel_um=(0.9, 1.1))
VOLUME = Grid(shape_px=(13, 31, 47), voxel_um=(2.0, 0.9, 1.1))
VARIANTS = {
    "ellipsoids": [
        {},
        {"n_cells": 0},
        {"n_cells": 1, "radius_um": 0.2},
        {"n_cells": [20, 40], "irregularity": 0.3, "touching": 0.9, "overlap": 0.3, "patchiness": 2.0},
        {"placement": "adgan", "n_cells": [3, 9], "radius_um": [5, 9]},
    ],
    "cells": [
        {},
        {"n_cells": 0},
        {"n_cells": 1},
        {
            "fraction": 0.5,
            "region": {"kind": "ellipsoid", "semi_axes_um": [12.0]},
            "populations": [{"shape": {"kind": "ellipsoid", "irregularity": 0.2}}],
        },
        {"n_cells": 4, "region": {"kind": "ellipsoid", "semi_axes_um": [22.0], "core": 0.3, "n_lumens": 1}},
        {"fraction": 0.1, "arrangement": {"kind": "random", "touching": 0.5}},
        {"n_cells": 20, "arrangement": {"kind": "clustered", "cluster_size": 5}},
        {
            "fraction": 0.3,
            "region": {"kind": "slab", "top_um": 4.0, "thickness_um": 16.0},
            "populations": [{"share": 2, "orientation": "flat"}, {"radius_um": 3, "orientation": "upright"}],
        },
    ],
    "tissue": [
        {},
        {"n_cells": 9, "membrane_um": 1.5},
        {"radius_um": [4, 6], "target": "nuclei", "regularity": 0.2},
        {"radius_um": 5, "region": {"kind": "ellipsoid", "semi_axes_um": [13.0]}, "waviness": 0.1},
        {
            "radius_um": 4,
            "region": {"kind": "slab", "top_um": 4.0, "thickness_um": 16.0},
            "is_single_layer": True,
        },
        {
            "radius_um": 3,
            "region": {"kind": "ellipsoid", "semi_axes_um": [13.0], "core": 0.5},
            "is_single_layer": True,
            "target": "nuclei",
        },
    ],
}
CASES = [
    ({"kind": kind, **values}, i) for kind in registry.names() for i, values in enumerate(VARIANTS[kind])
]


@pytest.fixture(params=CASES, ids=[f"{values['kind']}-{i}" for values, i in CASES])
def config(request):
    return registry.parse(request.param[0])


@pytest.fixture(params=[PLANE, VOLUME], ids=["2d", "3d"])
def grid(request):
    return request.param


def test_every_generator_is_covered():
    assert set(VARIANTS) == set(registry.names())


def test_labels_are_whole_numbers_without_gaps_and_every_object_shows(config, grid, key):
    for i in range(3):
        scene = config.build(grid)(key.child(i))
        labels = scene.draw()
        assert labels.shape == grid.shape_px
        assert labels.dtype == np.int32
        assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, len(scene.objects) + 1))


def test_the_table_describes_as_many_objects_of_as_many_dimensions(config, grid, key):
    objects = config.build(grid)(key).objects
    n, d = len(objects), grid.ndim
    assert objects.centre_um.shape == objects.semi_axes_um.shape == (n, d)
    assert objects.rotation.shape == (n, d, d)
    assert (objects.semi_axes_um > 0).all()
    assert (objects.class_id >= 1).all()
    assert len(np.unique(objects.key)) == n
    turned = objects.rotation @ objects.rotation.transpose(0, 2, 1)
    assert np.allclose(turned, np.broadcast_to(np.eye(d), (n, d, d)))


def test_same_key_gives_same_bytes_whatever_was_made_before(config, grid, key):
    function = config.build(grid)
    first = function(key).draw()
    function(key.child("another sample"))
    np.random.default_rng().random()
    again = registry.parse(config.to_dict()).build(grid)(Key(key.digest)).draw()
    assert first.tobytes() == again.tobytes()


def test_other_keys_give_other_scenes(config, grid, key):
    if not len(config.build(grid)(key).objects) or getattr(config, "n_cells", None) == 1:
        pytest.skip("there is nothing to differ in")
    scenes = {config.build(grid)(key.child(i)).draw().tobytes() for i in range(4)}
    assert len(scenes) == 4


def test_any_box_is_the_crop_of_the_whole(config, grid, key):
    scene = config.build(grid)(key)
    whole = scene.draw()
    blocks = np.empty_like(whole)
    for box in grid.boxes((5, 17, 23)[-grid.ndim :]):
        blocks[box.slices] = scene.draw(box)
    assert np.array_equal(blocks, whole)
    middle = Box(tuple(n // 3 for n in grid.shape_px), tuple(n // 3 + 1 for n in grid.shape_px))
    assert np.array_equal(scene.draw(middle), whole[middle.slices])


def test_config_survives_yaml(config, tmp_path):
    write_yaml(tmp_path / "config.yaml", config.to_dict())
    assert registry.parse(read_yaml(tmp_path / "config.yaml")) == config
    assert parse_yaml((tmp_path / "config.yaml").read_bytes()) == config.to_dict()
