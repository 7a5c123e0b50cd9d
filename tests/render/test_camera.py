"""The camera: photon transfer, offset, saturation, and noise that belongs to its place."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.render._camera import TILE_PX, Camera, expose

GRID = Grid(shape_px=(255, 301))


def grey(photons, key, grid=GRID, **values):
    """Grey levels of an even exposure."""
    camera = Camera(**{"bit_depth": 16, "offset_counts": 500.0, **values})
    plane = np.full(grid.shape_px, photons, np.float32)
    return expose(plane, camera, grid, key).astype(float) * (2**camera.bit_depth - 1)


def test_variance_against_mean_is_a_line_with_the_gain_and_the_read_noise(key):
    gain, read, qe = 2.5, 6.0, 0.7
    camera = {"gain_counts_per_electron": gain, "read_noise_electrons": read, "quantum_efficiency": qe}
    levels = [0, 50, 200, 800, 3000, 8000]
    images = [grey(photons, key.child(photons), **camera) for photons in levels]
    mean = np.array([i.mean() for i in images]) - 500
    variance = np.array([i.var() for i in images])
    assert mean == pytest.approx([gain * qe * photons for photons in levels], rel=0.005, abs=0.3)
    slope, intercept = np.polyfit(mean, variance, 1, w=1 / variance)
    assert slope == pytest.approx(gain, rel=0.02)
    assert intercept == pytest.approx((gain * read) ** 2 + 1 / 12, rel=0.02)  # rounding adds 1/12


def test_binned_pixels_are_each_read(key):
    variances = [grey(0, key, read_noise_electrons=5.0, binning=b).var() for b in (1, 3)]
    assert variances == pytest.approx([25, 225], rel=0.03)


def test_the_dark_level_is_the_offset(key):
    assert grey(0, key, offset_counts=123.0, read_noise_electrons=0) == pytest.approx(123, abs=1e-4)
    assert grey(0, key, offset_counts=123.4).mean() == pytest.approx(123.4, abs=0.05)


def test_more_light_than_the_camera_holds_is_cut_off(key):
    assert grey(1e7, key, bit_depth=8).min() == 255
    assert grey(1e7, key, bit_depth=12).min() == 4095
    assert grey(0, key, offset_counts=0.0, read_noise_electrons=9.0).min() == 0


def test_correlated_noise_keeps_the_variance_of_a_pixel(key):
    plain, blurred = (grey(500, key, noise_blur_px=sigma) for sigma in (0, 1.5))
    assert blurred.var() == pytest.approx(plain.var(), rel=0.06)
    assert blurred.mean() == pytest.approx(plain.mean(), rel=0.005)

    def neighbours(image):
        return np.corrcoef(image[:, :-1].ravel(), image[:, 1:].ravel())[0, 1]

    assert abs(neighbours(plain)) < 0.02
    assert neighbours(blurred) == pytest.approx(np.exp(-1 / (4 * 1.5**2)), abs=0.03)  # of a Gaussian kernel


def test_neighbouring_pixels_and_tiles_are_independent(key):
    grid = Grid(shape_px=(2 * TILE_PX, 2 * TILE_PX))
    noise = grey(400, key, grid)
    tiles = [noise[box.slices].ravel() for box in grid.boxes((TILE_PX, TILE_PX))]
    assert np.abs(np.corrcoef(tiles) - np.eye(4)).max() < 0.02


def test_the_noise_of_a_tile_does_not_depend_on_the_rest_of_the_image(key):
    small, large = (grey(400, key, Grid(shape_px=shape)) for shape in ((256, 256), (300, 777)))
    assert np.array_equal(large[:256, :256], small)
