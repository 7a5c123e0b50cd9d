"""Each metric against values computed by hand, with the edge cases."""

import math

import numpy as np
import pytest

from cellsynth.evaluate.image_quality import ImagePair, registry
from tests.evaluate.image_fields import waves


def score(kind, reference, candidate, data_range=1.0, **fields):
    metric = registry.parse({"kind": kind, **fields})
    return metric.score(metric.measure(ImagePair(reference, candidate, data_range)))


def flat(value, shape=(35, 47)):
    return np.full(shape, float(value))


def test_psnr_of_an_error_of_one_tenth_is_20_db():
    assert score("psnr", flat(0.5), flat(0.6)) == pytest.approx(20)
    assert score("psnr", flat(0), flat(1)) == 0
    assert score("psnr", flat(50), flat(60), data_range=100) == pytest.approx(20)
    assert score("psnr", flat(0.5), flat(0.5)) == math.inf


def test_pooled_psnr_is_that_of_the_pooled_error():
    metric = registry.parse("psnr")
    identical = metric.measure(ImagePair(flat(0.5), flat(0.5), 1))
    off = metric.measure(ImagePair(flat(0.5), flat(0.6), 1))
    assert metric.score(identical + off) == pytest.approx(-10 * math.log10(0.01 / 2))


def test_nrmse_by_each_divisor():
    reference = np.array([[0.0, 0.5], [0.5, 1.0]])
    candidate = reference + np.array([[0.2, 0], [0, 0]])
    rmse = 0.1
    assert score("nrmse", reference, candidate) == pytest.approx(rmse / math.sqrt(1.5 / 4))
    assert score("nrmse", reference, candidate, normalized_by="data_range") == pytest.approx(rmse)
    assert score("nrmse", reference, candidate, normalized_by="mean") == pytest.approx(rmse / 0.5)
    assert score("nrmse", reference, candidate, normalized_by="std") == pytest.approx(rmse / math.sqrt(1 / 8))


def test_nrmse_of_a_black_reference_is_undefined_unless_identical():
    assert math.isnan(score("nrmse", flat(0), flat(0.1)))
    assert score("nrmse", flat(0), flat(0)) == 0
    assert math.isnan(score("nrmse", flat(0.5), flat(0.1), normalized_by="std"))


def test_ssim_of_constant_images_is_the_comparison_of_brightness():
    expected = (2 * 0.5 * 0.7 + 1e-4) / (0.25 + 0.49 + 1e-4)
    assert score("ssim", flat(0.5), flat(0.7)) == pytest.approx(expected)


def test_ssim_of_one_window_is_its_formula():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 11, 11))
    t = np.arange(-5, 6)
    w = np.exp(-(t[:, None] ** 2 + t**2) / 4.5)
    w /= w.sum()
    mx, my = (w * x).sum(), (w * y).sum()
    vx, vy, cov = (w * x * x).sum() - mx**2, (w * y * y).sum() - my**2, (w * x * y).sum() - mx * my
    expected = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    assert score("ssim", x, y) == pytest.approx(expected)


def test_ssim_of_a_volume_that_repeats_one_slice_is_that_of_the_slice():
    reference, candidate = waves((31, 47))
    volumes = [np.repeat(image[:, None], 13, axis=1) for image in (reference, candidate)]
    assert score("ssim", *volumes) == pytest.approx(score("ssim", reference, candidate))


def test_ms_ssim_of_an_inverted_image_is_zero_and_no_complex_number():
    reference = waves((163, 171))[0]
    assert score("ms_ssim", reference, 1 - reference) == 0


def test_gradients_alike_everywhere_leave_no_deviation():
    # An offset changes no gradient but at the rim, where the image ends.
    y, x = np.indices((64, 96)) / 300
    assert score("ms_gmsd", y + x, y + x) == 0
    assert score("ms_gmsd", y + x, y + x + 0.3) < 0.2
    assert score("ms_gmsd", y + x, np.zeros_like(x)) > 0


def test_chrominance_counts_where_luminance_agrees():
    # Both colours have Y = 0.5; dI and dQ are uniform, so their root mean squares are exact.
    yiq = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    colours = [np.linalg.solve(yiq, [0.5, i, 0.0]) for i in (0.0, 0.1)]
    grey, tinted = (np.broadcast_to(c[:, None, None], (3, 32, 48)).copy() for c in colours)
    share = 2 / 1.32 - 1
    expected = (1 - share) * 0.01 * 25.5
    chromatic = score("ms_gmsd", grey, tinted, is_chromatic=True)
    assert score("ms_gmsd", grey, tinted) == pytest.approx(0, abs=1e-9)
    assert chromatic == pytest.approx(expected)


def test_grey_is_rgb_with_equal_channels():
    grey = waves((48, 64))
    rgb = [np.repeat(image, 3, axis=0) for image in grey]
    assert score("mdsi", *grey) == pytest.approx(score("mdsi", *rgb))
    assert score("ms_gmsd", *grey) == pytest.approx(score("ms_gmsd", *rgb))


def test_two_black_images_are_identical():
    assert score("haarpsi", flat(0), flat(0)) == 1
    assert score("haarpsi", flat(0), flat(1)) < 0.5
