"""Blur: the width of diffraction, and light that is spread but not lost."""

import numpy as np
import pytest
from scipy.special import j1

from cellsynth.core.grid import Grid
from cellsynth.render._optics import Psf, blur


def point(grid):
    plane = np.zeros(grid.shape_px, np.float32)
    plane[tuple(n // 2 for n in grid.shape_px)] = 1000
    return plane


def half_width(profile, step):
    """Full width at half maximum of a peak in the middle, by straight lines between samples."""
    middle = len(profile) // 2
    half = profile[middle] / 2
    after = profile[middle:]
    i = int(np.argmax(after < half))
    return 2 * step * (i - 1 + (after[i - 1] - half) / (after[i - 1] - after[i]))


@pytest.mark.parametrize(("na", "emission_nm"), [(0.4, 520), (0.8, 520), (0.8, 680), (1.2, 600)])
def test_a_point_is_as_wide_as_diffraction_says(na, emission_nm):
    grid = Grid(shape_px=(301, 251), voxel_um=(0.04, 0.04))
    image = blur(point(grid), Psf(na=na, emission_nm=emission_nm), grid)
    expected = 0.51 * emission_nm * 1e-3 / na  # of the Airy pattern in focus
    for profile in (image[:, 125], image[150]):
        assert half_width(profile, 0.04) == pytest.approx(expected, rel=0.02)


def test_the_profile_is_the_airy_pattern():
    grid = Grid(shape_px=(401, 401), voxel_um=(0.05, 0.05))
    image = blur(point(grid), Psf(na=0.5, emission_nm=600), grid)
    r = np.arange(1, 60) * 0.05 * 2 * np.pi * 0.5 / 0.6
    airy = (2 * j1(r) / r) ** 2
    assert image[200, 201:260] / image[200, 200] == pytest.approx(airy, abs=4e-3)
    first_zero = 0.61 * 0.6 / 0.5 / 0.05
    assert 200 + np.argmin(image[200, 200:220]) == pytest.approx(200 + first_zero, abs=1)


def test_a_gaussian_has_the_standard_deviation_asked_for():
    grid = Grid(shape_px=(121, 91), voxel_um=(0.5, 0.8))
    image = blur(point(grid), Psf(na=None, blur_um=3.0), grid).astype(float)
    for axis, step in ((0, 0.5), (1, 0.8)):
        profile = image.sum(axis=1 - axis)
        x = np.arange(len(profile)) * step
        mean = (x * profile).sum() / profile.sum()
        assert np.sqrt(((x - mean) ** 2 * profile).sum() / profile.sum()) == pytest.approx(3.0, rel=0.01)


@pytest.mark.parametrize("psf", [Psf(), Psf(na=None, blur_um=2.5), Psf(na=0.3, blur_um=1.0)])
@pytest.mark.parametrize("shape", [(31, 47), (128, 5), (64, 64)])
def test_the_sum_of_light_is_kept(psf, shape, key):
    grid = Grid(shape_px=shape, voxel_um=(0.4, 0.4))
    light = key.generator().random(shape, np.float32) * 100
    assert blur(light, psf, grid).sum() == pytest.approx(light.sum(), rel=1e-3)


@pytest.mark.parametrize("psf", [Psf(), Psf(na=None, blur_um=2.5)])
def test_even_light_stays_even(psf):
    grid = Grid(shape_px=(31, 47), voxel_um=(0.4, 0.4))
    assert blur(np.full((31, 47), 7, np.float32), psf, grid) == pytest.approx(7, rel=1e-5)


def test_no_optics_is_no_change():
    grid = Grid(shape_px=(31, 47))
    light = point(grid)
    assert np.array_equal(blur(light, Psf(na=None), grid), light)


def test_light_is_never_negative(key):
    grid = Grid(shape_px=(61, 47), voxel_um=(0.2, 0.2))
    light = (key.generator().random((61, 47)) > 0.97).astype(np.float32) * 1e4
    assert blur(light, Psf(), grid).min() >= 0
