"""What is measured in an image answers to what is in it."""

import numpy as np
import pytest
from scipy import ndimage

from cellsynth.calibrate._noise import photon_transfer
from cellsynth.calibrate._polarity import polarity_evidence
from cellsynth.calibrate.measure import STATISTICS, measure, radial_spectrum
from cellsynth.core.rng import Key
from cellsynth.segment import typical_diameter_px

SHAPE = (151, 197)


def discs(
    centres: list[tuple[int, int]], radius: float, height: float = 60.0, blur: float = 1.5
) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = np.zeros(SHAPE)
    for cy, cx in centres:
        image[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = height
    rng = np.random.default_rng(0)
    return (ndimage.gaussian_filter(image, blur) + 10 + rng.normal(0, 0.5, SHAPE)).astype(np.float32)


GRID = [(25 + 50 * i, 25 + 45 * j) for i in range(3) for j in range(4)]


def test_number_size_and_contrast_of_discs_are_found() -> None:
    found = measure("discs", discs(GRID, 10), 20).statistics
    assert found["density"] == pytest.approx(12 / (SHAPE[0] * SHAPE[1]) * 1e6)
    assert found["radius"] == pytest.approx(10, rel=0.12)
    assert found["contrast"] == pytest.approx(60, rel=0.3)  # the wide outline takes in what blur made dim
    assert found["background"] == pytest.approx(10, abs=0.3)
    assert found["axis_ratio"] > 0.93
    assert found["touching"] == 0
    assert np.isnan(found["contact"])


def test_a_wider_blur_gives_wider_edges() -> None:
    sharp, soft = (measure("x", discs(GRID, 10, blur=b), 20).statistics["edge"] for b in (1.0, 2.0))
    assert 1.5 < soft / sharp < 2.5


def test_touching_discs_have_a_contact_line() -> None:
    pairs = [c for y, x in GRID for c in ((y, x - 9), (y, x + 9))]
    found = measure("pairs", discs(pairs, 10), 20).statistics
    assert found["touching"] > 0.9
    assert 0.2 < found["contact"] < 0.7


def test_haze_is_seen_below_one_grey_level() -> None:
    cells = discs(GRID, 10)
    halo = ndimage.gaussian_filter(np.where(cells > 40, 60.0, 0.0), 14) * 0.06
    hazy = np.round(cells + halo).astype(np.float32)
    plain, found = (measure("x", np.round(i), 20).statistics["haze"] for i in (cells, hazy))
    assert plain + 0.002 < found < 0.05


def test_faint_objects_are_debris_and_not_cells() -> None:
    # Far apart, so that the local threshold finds all of them.
    cells = discs(GRID[:9], 10)
    faint = discs(GRID[9:], 10, height=14.0) - 10
    found = measure("faint", cells + faint, 20)
    assert found.statistics["density"] == pytest.approx(9 / cells.size * 1e6)
    assert len(found.contrast) == 9
    dim = discs(GRID[9:], 10, height=33.0) - 10
    assert len(measure("dim", cells + dim, 20).contrast) == 12


def test_small_objects_count_where_they_are_bright() -> None:
    cells = discs(GRID[:9], 10)
    for height, n in ((60.0, 12), (20.0, 9)):
        small = discs(GRID[9:], 4.2, height=height, blur=0.7) - 10
        assert len(measure("small", cells + small, 20).radius) == n


def test_objects_that_look_like_several_in_one_do_not_tell_sizes() -> None:
    image = discs(GRID[:9], 10)
    bent = np.zeros(SHAPE)
    bent[115:135, 150:157] = bent[128:135, 150:170] = 60
    found = measure("clump", image + ndimage.gaussian_filter(bent, 0.5).astype(np.float32), 20)
    assert found.statistics["density"] >= 10 / (SHAPE[0] * SHAPE[1]) * 1e6
    assert len(found.radius) == 9


def test_texture_of_large_cells_is_told_from_noise() -> None:
    rng = np.random.default_rng(5)
    image = sum(discs([c], 28, blur=1) - 10 for c in ((35, 35), (35, 110), (110, 60), (110, 140))) + 10
    grains = ndimage.gaussian_filter(rng.normal(0, 1, SHAPE), 4)
    grains *= 6 / grains.std()
    is_cell = image > 40
    noisy, coarse = (image + is_cell * extra for extra in (rng.normal(0, 6, SHAPE), grains))
    noise, texture = (measure("x", i.astype(np.float32), 56).statistics for i in (noisy, coarse))
    assert texture["texture"] > 1.6 * noise["texture"]
    assert texture["texture_scale"] > 1.1 * noise["texture_scale"]


def test_an_image_with_two_cells_says_that_it_knows_too_little() -> None:
    found = measure("two", discs(GRID[:2], 10), 20).statistics
    assert set(found) == set(STATISTICS)
    assert np.isnan(found["radius"])
    assert found["density"] > 0


def test_an_image_of_noise_has_no_cells() -> None:
    noise = np.random.default_rng(1).normal(10, 1, SHAPE).astype(np.float32)
    assert measure("noise", noise, 20).statistics["density"] == 0


@pytest.mark.parametrize("radius", [6, 12, 20])
def test_the_typical_diameter_is_found_without_knowing_the_scale(radius: int) -> None:
    found = typical_diameter_px(discs(GRID, radius))
    assert found == pytest.approx(2 * radius, rel=0.2)


def test_bright_and_dark_cells_are_told_apart() -> None:
    image = discs(GRID, 12)
    assert polarity_evidence(image) > 0.3
    assert polarity_evidence(image.max() - image) < -0.3


def test_bright_cells_that_cover_most_of_the_field_are_still_bright() -> None:
    crowded = [(y, x) for y in range(12, 151, 25) for x in range(12, 197, 25)]
    assert polarity_evidence(discs(crowded, 11.5, blur=0.5)) > 0


def test_the_spectrum_of_a_wave_stands_at_its_frequency() -> None:
    x = np.arange(256)
    wave = np.sin(2 * np.pi * 0.125 * x)[None] * np.ones((200, 1))
    spectrum = radial_spectrum(wave.astype(np.float32))
    assert spectrum.sum() == pytest.approx(1)
    assert np.argmax(spectrum) == int(0.125 * 2 * len(spectrum))


def test_photon_transfer_finds_the_gain_of_a_simulated_camera(key: Key) -> None:
    rng = key.generator()
    light = np.linspace(20, 400, 400)[None] * np.ones((300, 1))
    counts = (2.5 * (rng.poisson(light) + rng.normal(0, 3, light.shape))).astype(np.float32)
    found = photon_transfer(counts)
    assert found.gain == pytest.approx(2.5, rel=0.15)
    assert abs(found.correlation) < 0.1


def test_correlated_noise_is_recognised(key: Key) -> None:
    white = key.generator().normal(0, 4, (200, 200))
    smooth = ndimage.gaussian_filter(white, 0.8)
    assert photon_transfer((white + 50).astype(np.float32)).correlation < 0.1
    assert photon_transfer((smooth + 50).astype(np.float32)).correlation > 0.3
