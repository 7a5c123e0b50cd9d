"""Statistics of images against values known beforehand."""

import math

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.evaluate.features import PictureSet, registry
from cellsynth.evaluate.features.microscopy import (
    axis_ratios,
    correlation_length_px,
    power_spectrum,
    removed_shares,
    ring_shares,
)
from tests.evaluate.picture_fields import textures

EXTRACTORS = [registry.parse("microscopy"), registry.parse({"kind": "microscopy", "uses_labels": True})]


@pytest.mark.parametrize("extractor", EXTRACTORS, ids=["images", "labels"])
@pytest.mark.parametrize(("shape", "n_channels"), [((33, 47), 1), ((33, 47), 3), ((21, 29, 35), 1)])
def test_rows_are_images_and_columns_depend_on_the_config_alone(extractor, shape, n_channels):
    made = extractor.build()(textures(3, shape=shape, n_channels=n_channels))
    other = extractor.build()(
        textures(2, grain_px=4, shape=tuple(n + 2 for n in shape), n_channels=n_channels)
    )
    assert made.values.shape == (3, len(made.components))
    assert made.components == other.components
    assert np.isfinite(made.values).all()


def columns(pictures, name, **fields):
    made = registry.parse({"kind": "microscopy", **fields}).build()(pictures)
    return made.values[:, [c == name for c in made.components]]


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_constant_image_has_finite_features(level):
    flat = PictureSet([np.full((33, 47), level, np.float32)], data_range=1.0)
    made = registry.parse("microscopy").build()(flat)
    assert np.isfinite(made.values).all()
    np.testing.assert_allclose(columns(flat, "intensity"), level)
    np.testing.assert_allclose(columns(flat, "gradient"), 0, atol=1e-9)
    np.testing.assert_allclose(columns(flat, "bright_sizes"), 0)


def test_a_wave_has_its_power_in_the_ring_of_its_frequency():
    x = np.arange(128)
    wave = np.broadcast_to(0.5 + 0.4 * np.sin(2 * np.pi * 0.21 * x), (96, 128))
    shares = np.exp(ring_shares(power_spectrum(wave), wave.shape, 10))
    assert int(shares.argmax()) == 4  # rings of 0.05: 0.20 to 0.25
    assert shares[4] > 0.9
    assert shares[:4].sum() + shares[5:].sum() < 0.1


def test_shares_of_the_spectrum_are_those_of_the_whole_transform():
    image = np.random.default_rng(0).random((17, 24))
    window = np.outer(np.hanning(19)[1:-1], np.hanning(26)[1:-1])
    power = np.abs(np.fft.fft2((image - (image * window).sum() / window.sum()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(17)[:, None], np.fft.fftfreq(24)[None])
    ring = np.minimum((radius * 10).astype(int), 5)
    totals = np.bincount(ring.ravel(), power.ravel())[:5]
    np.testing.assert_allclose(np.exp(ring_shares(power_spectrum(image), (17, 24), 5)), totals / totals.sum())


def test_length_of_correlation_grows_with_the_grain():
    def length_px(grain_px):
        made = textures(5, grain_px, shape=(65, 81))
        return np.mean([correlation_length_px(power_spectrum(p.image[0]), (65, 81)) for p in made])

    fine, coarse = length_px(2.0), length_px(4.0)
    # The autocorrelation of noise blurred by s is a Gaussian of s sqrt(2): 1/e at 2 s.
    assert fine == pytest.approx(4, rel=0.25)
    assert coarse == pytest.approx(8, rel=0.3)


def test_openings_remove_squares_smaller_than_themselves():
    image = np.zeros((40, 50))
    image[5:10, 5:10] = 1  # 25
    image[20:31, 20:31] = 1  # 121
    np.testing.assert_allclose(removed_shares(image, (3, 7, 13)), [0, 25 / 146, 121 / 146])


def test_bright_and_dark_structures_change_places_with_the_sign():
    pictures = textures(3)
    inverted = PictureSet([1 - image for image in pictures.images], data_range=1.0)
    np.testing.assert_allclose(columns(pictures, "bright_sizes"), columns(inverted, "dark_sizes"), atol=1e-5)


def test_ratio_of_axes_is_that_of_a_rectangle():
    labels = np.zeros((30, 41), np.int32)
    labels[3:9, 2:26] = 1  # 6 by 24
    labels[15, 15] = 2
    ids, flat = np.unique(labels, return_inverse=True)
    ratios = axis_ratios(labels, flat.reshape(-1), np.bincount(flat.reshape(-1)))
    assert ids.tolist() == [0, 1, 2]
    assert ratios[1] == pytest.approx(6 / 24)
    assert ratios[2] == 1


def test_cells_are_counted_and_measured():
    image, labels = np.full((20, 50), 0.2, np.float32), np.zeros((20, 50), np.int32)
    labels[2:6, 2:6], labels[10:18, 10:18] = 4, 9
    image[labels > 0] = 0.7
    cells = columns(PictureSet([image], [labels], data_range=1.0), "cells", uses_labels=True)[0]
    logs = np.log([16, 64])
    expected = [math.log(2 / 1000 * 1e6), logs.mean(), logs.std(), 1, 0.5, 0]
    np.testing.assert_allclose(
        cells, expected, atol=2e-4
    )  # grey values are float32, and their square cancels


def test_labels_are_asked_for_and_must_hold_a_cell():
    extract = registry.parse({"kind": "microscopy", "uses_labels": True}).build()
    image = np.zeros((20, 50), np.float32)
    with pytest.raises(InputError, match="need labels of every image"):
        extract(PictureSet([image], data_range=1.0))
    with pytest.raises(InputError, match="image 0 has labels without a cell"):
        extract(PictureSet([image], [np.zeros((20, 50), int)], data_range=1.0))
