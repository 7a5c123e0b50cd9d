"""What ImagePair refuses, and in which words."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.evaluate.image_quality import ImagePair, registry

GREY = np.linspace(0, 1, 31 * 47).reshape(31, 47).astype(np.float32)


def holding(value):
    image = GREY.copy()
    image[3, 4] = value
    return image


@pytest.mark.parametrize(
    ("reference", "candidate", "data_range", "message"),
    [
        (GREY, GREY[:-1], 1, r"differ in shape: \(31, 47\) and \(30, 47\)"),
        (GREY, GREY.astype(float), 1, "reference is float32 and candidate float64"),
        (holding(np.nan), GREY, 1, "reference has 1 NaN or infinite values"),
        (GREY, holding(-np.inf), 1, "candidate has 1 NaN or infinite values"),
        (GREY, holding(1.5), 1, "candidate has values from 0 to 1.5, out of data_range 0 to 1"),
        (GREY, holding(-0.5), 1, "candidate has values from -0.5 to 1"),
        (GREY, GREY, 0, "data_range is 0"),
        (GREY, GREY, (1.0, 0.0), r"data_range is \(1.0, 0.0\)"),
        (GREY, GREY, float("nan"), "data_range is nan"),
        (GREY > 0.5, GREY > 0.5, 1, "reference is bool"),
        (GREY[0], GREY[0], 1, r"shape \(47,\); images are \(Y, X\)"),
        (GREY[:0], GREY[:0], 1, r"shape \(0, 47\)"),
        (np.zeros((31, 47, 3)), np.zeros((31, 47, 3)), 1, r"channels come first.*moveaxis"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(reference, candidate, data_range, message):
    with pytest.raises(InputError, match=message):
        ImagePair(reference, candidate, data_range)


@pytest.mark.parametrize(
    ("kind", "smallest"), [("ssim", 11), ("ms_ssim", 161), ("ms_gmsd", 24), ("mdsi", 3), ("haarpsi", 16)]
)
def test_images_too_small_for_the_scales_are_refused(kind, smallest):
    metric = registry.parse(kind)
    large, small = np.zeros((smallest, smallest + 2)), np.zeros((smallest + 2, smallest - 1))
    metric.measure(ImagePair(large, large, 1))
    with pytest.raises(InputError, match=f"too small for .*needs {smallest} along"):
        metric.measure(ImagePair(small, small, 1))


@pytest.mark.parametrize("kind", ["ms_gmsd", "mdsi", "haarpsi"])
def test_metrics_of_pictures_refuse_volumes_and_odd_channels(kind):
    metric = registry.parse(kind)
    volume, two = np.zeros((1, 31, 33, 35)), np.zeros((2, 33, 35))
    with pytest.raises(InputError, match="defined for 2D images, not 31x33x35"):
        metric.measure(ImagePair(volume, volume, 1))
    with pytest.raises(InputError, match="grey or RGB images, not 2 channels"):
        metric.measure(ImagePair(two, two, 1))


def test_chrominance_needs_colours():
    with pytest.raises(InputError, match="needs RGB"):
        registry.parse({"kind": "ms_gmsd", "is_chromatic": True}).measure(ImagePair(GREY, GREY, 1))


def test_values_are_scaled_from_the_range_and_channels_come_first():
    pair = ImagePair(np.array([[-1.0, 0.0, 1.0]]), np.array([[1.0, 1.0, 1.0]]), (-1.0, 1.0))
    assert pair.reference.tolist() == [[[0.0, 0.5, 1.0]]]
    assert pair.shape_px == (1, 3)
