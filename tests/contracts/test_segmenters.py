"""What every built-in segmenter promises, whatever its method."""

import pickle

import numpy as np
import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.segment.base import Choice, registry
from tests.segment.cells import DIAMETER, FIELD, image_of, mean_iou

EXTERNAL = ("cellpose", "stardist")
METHODS = [name for name in registry.names() if name not in EXTERNAL]

every_method = pytest.mark.parametrize("kind", METHODS)
every_kind = pytest.mark.parametrize("kind", registry.names())


def segment(kind, image, **values):
    """Labels of `image` on a grid of 1 um."""
    config = registry.parse({"kind": kind, "diameter_um": DIAMETER, **values})
    return config.build(Grid(shape_px=image.shape[1:]))(image)


def assert_promised(labels, image):
    assert labels.shape == image.shape[1:]
    assert labels.dtype == np.int32
    ids = np.unique(labels)
    assert np.array_equal(ids[ids > 0], np.arange(1, labels.max() + 1))


@every_method
def test_separate_cells_are_found_with_their_outlines(kind):
    image = image_of(FIELD, noise=0.02)
    labels = segment(kind, image)
    assert_promised(labels, image)
    assert labels.max() == FIELD.max()
    assert mean_iou(FIELD, labels) > 0.75


@every_method
def test_same_image_gives_same_labels_and_is_left_alone(kind):
    image = image_of(FIELD, noise=0.05)
    before = image.copy()
    config = registry.parse({"kind": kind, "diameter_um": DIAMETER})
    function = config.build(Grid(shape_px=FIELD.shape))
    first, again, travelled = function(image), function(image), pickle.loads(pickle.dumps(function))(image)
    assert np.array_equal(image, before)
    assert first.tobytes() == again.tobytes() == travelled.tobytes()


@every_method
def test_image_that_must_not_be_written_to_is_accepted(kind):
    image = image_of(FIELD, noise=0.05)
    image.setflags(write=False)
    assert_promised(segment(kind, image), image)


@every_method
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_constant_image_has_no_cells(kind, level):
    assert segment(kind, np.full((1, 31, 47), level, np.float32)).max() == 0


@every_method
def test_pure_noise_has_no_cells(kind):
    for seed in range(3):
        empty = np.zeros((95, 121), np.int32)
        assert segment(kind, image_of(empty, Key.from_seed(seed), noise=0.05)).max() == 0


@every_method
def test_gradient_has_no_cells(kind):
    ramp = np.linspace(0.1, 0.6, 121, dtype=np.float32)
    noise = image_of(np.zeros((95, 121), np.int32), background=0.1, noise=0.02)
    for slope in (np.broadcast_to(ramp, (95, 121)), ramp[:95, None] * np.ones(121, np.float32)):
        assert segment(kind, slope + noise).max() == 0


@every_method
def test_single_hot_pixel_is_no_cell(kind):
    image = np.zeros((1, 31, 47), np.float32)
    image[0, 12, 30] = 1
    assert segment(kind, image).max() == 0


@every_method
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (1, 9), (2, 2), (31, 47)])
def test_any_image_size_is_accepted(kind, shape):
    rng = Key.from_seed(1).generator()
    for image in (rng.random((1, *shape), np.float32), np.eye(*shape, dtype=np.float32)[None]):
        assert_promised(segment(kind, image), image)
        assert_promised(segment(kind, image, diameter_um=1.0), image)


@every_method
def test_one_cell_that_fills_the_image_is_accepted(kind):
    image = np.ones((1, 31, 47), np.float32)
    image[0, 0, 0] = 0
    assert_promised(segment(kind, image), image)


@every_method
def test_dark_cells_are_found_like_bright_ones(kind):
    image = image_of(FIELD, noise=0.05)
    assert np.array_equal(segment(kind, 1 - image, polarity="dark"), segment(kind, image))


@every_method
def test_brightness_and_offset_of_the_camera_do_not_matter(kind):
    image = image_of(FIELD, noise=0.04)
    assert mean_iou(segment(kind, image), segment(kind, image / 4 + 0.25)) > 0.98


@every_method
def test_lengths_follow_the_pixel_size(kind):
    image = image_of(FIELD, noise=0.05)
    config = registry.parse({"kind": kind, "diameter_um": DIAMETER * 0.25})
    fine = config.build(Grid(shape_px=FIELD.shape, voxel_um=(0.25, 0.25)))
    assert np.array_equal(fine(image), segment(kind, image))


@every_method
def test_small_objects_are_removed_on_request(kind):
    image = image_of(FIELD, noise=0.02)
    area = np.bincount(segment(kind, image, min_area_fraction=0.9).ravel())[1:]
    assert (area >= 0.9 * np.pi / 4 * DIAMETER**2).all()
    assert len(area) < FIELD.max()


@every_kind
def test_config_comes_back_from_its_dictionary(kind):
    config = registry.parse({"kind": kind, "diameter_um": 7.5})
    assert registry.parse(config.to_dict()) == config


@every_kind
def test_misspelt_key_is_refused(kind):
    with pytest.raises(RecipeError, match="diameter_um"):
        registry.parse({"kind": kind, "diametr_um": 7.5})


@every_kind
def test_search_space_holds_valid_values_and_the_default(kind):
    config = registry.parse(kind)
    space = config.search_space()
    assert space
    for name, axis in space.items():
        default = getattr(config, name)
        if isinstance(axis, Choice):
            assert default in axis.options
            assert all(
                getattr(config.with_values(**{name: option}), name) == option for option in axis.options
            )
        else:
            assert axis.low <= default <= axis.high
            assert getattr(config.with_values(**{name: axis.low}), name) == axis.low
            assert getattr(config.with_values(**{name: axis.high}), name) == axis.high


@every_kind
def test_every_field_is_documented(kind):
    fields = registry.get(kind).model_fields
    assert [name for name, field in fields.items() if not field.description and name != "kind"] == []
