"""Two images on one another."""

import numpy as np
import pytest

from cellsynth.core.compositing import composite

A = np.array([[[0, 100, 250]]], np.uint8)
B = np.array([[[7, 100, 100]]], np.uint8)


def test_light_adds_up_to_the_largest_value_and_not_beyond():
    assert composite(A, B).tolist() == [[[7, 200, 255]]]
    assert composite(A.astype(np.uint16) * 257, B.astype(np.uint16) * 257).max() == 65535
    assert composite(A, B, alpha=0.5).tolist() == [[[4, 150, 255]]]  # rounded to even
    twelve_bits = composite(A.astype(np.uint16) * 16, B.astype(np.uint16) * 16, largest=4095)
    assert twelve_bits.tolist() == [[[112, 3200, 4095]]]
    halves = np.full((1, 1, 2), 0.6, np.float32)
    assert composite(halves, halves).tolist() == [[[1.0, 1.0]]]


def test_images_are_mixed():
    assert composite(A, B, "alpha", 0.25).tolist() == [[[2, 100, 212]]]
    assert np.array_equal(composite(A, B, "alpha", 0.0), A)
    assert np.array_equal(composite(A, B, "alpha", 1.0), B)


def test_grey_goes_over_every_colour():
    colour = np.stack([A[0], B[0], A[0]])
    assert composite(colour, B).tolist() == [composite(c[None], B)[0].tolist() for c in colour]


def test_what_does_not_go_together_is_refused():
    with pytest.raises(TypeError, match="uint8 and uint16"):
        composite(A, B.astype(np.uint16))
    with pytest.raises(ValueError, match="shapes"):
        composite(A, B[:, :, :2])
    with pytest.raises(ValueError, match="alpha is 1.5"):
        composite(A, B, "alpha", 1.5)


def test_values_beyond_the_range_are_refused():
    with pytest.raises(ValueError, match="divide by the full scale"):
        composite(np.full((1, 3, 4), 200, np.float32), np.zeros((1, 3, 4), np.float32))
    with pytest.raises(ValueError, match="not negative"):
        composite(np.full((1, 3, 4), -1, np.int16), np.zeros((1, 3, 4), np.int16))
