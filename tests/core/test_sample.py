"""Sample: intensities become the sensor's integers, and come back."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.sample import Sample


def sample_of(image: np.ndarray, bit_depth: int) -> Sample:
    return Sample("one", Grid(shape_px=image.shape[1:], voxel_um=(1.0, 1.0)), image, bit_depth=bit_depth)


@pytest.mark.parametrize(
    ("bit_depth", "dtype"), [(1, np.uint8), (8, np.uint8), (10, np.uint16), (12, np.uint16), (16, np.uint16)]
)
def test_every_grey_level_survives_the_way_to_float_and_back(bit_depth, dtype):
    levels = np.arange(2**bit_depth).reshape(1, 2, -1)
    image = (levels / (2**bit_depth - 1)).astype(np.float32)
    counts = sample_of(image, bit_depth).counts
    assert counts.dtype == dtype
    assert np.array_equal(counts, levels)


def test_counts_are_rounded_not_cut():
    image = np.full((1, 3, 5), 0.6 / 255, np.float32)
    assert (sample_of(image, 8).counts == 1).all()
