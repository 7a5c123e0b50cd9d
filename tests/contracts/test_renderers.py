"""What every renderer promises, whatever its method."""

import numpy as np
import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.io.yaml import read_yaml, write_yaml
from cellsynth.labels.ellipsoids import Ellipsoids
from cellsynth.render.base import registry

GRIDS = {2: Grid(shape_px=(61, 83), voxel_um=(0.9, 1.1)), 3: Grid(shape_px=(5, 31, 47), voxel_um=(1, 1, 1))}
VARIANTS = {
    "microscope": [
        {},
        {"contrast": "dark", "background": {"photons": 5000}, "camera": {"bit_depth": 8}},
        {"camera": {"bit_depth": 16, "noise_blur_px": 1.2}, "focus": {"share": 0.4}},
        {"photons": 1e7, "camera": {"bit_depth": 10}},
        {"background": {"photons": 0, "haze": 0, "gradient": 0}, "psf": {"na": None}},
    ],
    "fluorescence": [
        {},
        {"optics": [{"psf": "confocal"}], "attenuation": {"law": "f2p"}, "camera": {"bit_depth": 8}},
        {"optics": [{"psf": "gibson_lanni"}, {"path_um": 3, "psf": "light_sheet"}], "scattering_um": 5.0},
        {"photons": 1e6, "camera": {"bit_depth": 16, "hot_pixels": 0.01, "n_frames": 2, "dark_electrons": 3}},
    ],
}
CASES = [
    ({"kind": kind, **values}, i) for kind in registry.names() for i, values in enumerate(VARIANTS[kind])
]


@pytest.fixture(params=CASES, ids=[f"{values['kind']}-{i}" for values, i in CASES])
def config(request):
    return registry.parse(request.param[0])


def scene_on(grid, key, n_cells=12):
    return Ellipsoids(n_cells=n_cells).build(grid)(key)


def test_every_renderer_is_covered():
    assert set(VARIANTS) == set(registry.names())


def test_image_has_the_promised_shape_type_and_grey_levels(config, key):
    for ndim in config.ndims:
        for n_cells in (0, 1, 12):
            scene = scene_on(GRIDS[ndim], key, n_cells)
            image = config.build(GRIDS[ndim])(scene, key)
            assert image.shape[1:] == GRIDS[ndim].shape_px
            assert image.dtype == np.float32
            assert image.min() >= 0
            assert image.max() <= 1
            # What is written and read back is the same number.
            top = np.float32(2**config.bit_depth - 1)
            assert np.array_equal(image, np.rint(image * top).astype(np.uint16).astype(np.float32) / top)


def test_other_dimensions_are_refused_when_the_function_is_built(config):
    for ndim in set(GRIDS) - set(config.ndims):
        with pytest.raises(RecipeError, match="2D"):
            config.build(GRIDS[ndim])


def test_same_key_gives_same_bytes_whatever_was_made_before(config, key):
    grid = GRIDS[config.ndims[0]]
    scene, function = scene_on(grid, key), config.build(grid)
    first = function(scene, key)
    function(scene, key.child("another sample"))
    again = registry.parse(config.to_dict()).build(grid)(scene_on(grid, key), Key(key.digest))
    assert first.tobytes() == again.tobytes()


def test_other_keys_give_other_images_of_the_same_scene(config, key):
    grid = GRIDS[config.ndims[0]]
    scene = scene_on(grid, key)
    images = [config.build(grid)(scene, key.child(i)) for i in range(2)]
    if images[0].min() < 1:  # else it is all saturated
        assert not np.array_equal(*images)


def test_cells_can_be_seen(config, key):
    grid = GRIDS[config.ndims[0]]
    with_cells, without = (config.build(grid)(scene_on(grid, key, n), key)[0] for n in (12, 0))
    inside = scene_on(grid, key).draw() > 0
    difference = np.abs(with_cells - without)
    if with_cells.min() < 1:  # else all is saturated
        assert difference[inside].mean() > 2 * difference[~inside].mean()


def test_config_survives_yaml(config, tmp_path):
    write_yaml(tmp_path / "config.yaml", config.to_dict())
    assert registry.parse(read_yaml(tmp_path / "config.yaml")) == config
