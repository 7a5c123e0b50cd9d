"""Names of the variants of a metric, and the ends of its range."""

import math

import pytest

from cellsynth.evaluate.detection import registry as detection
from cellsynth.evaluate.image_quality import registry as image_quality
from cellsynth.evaluate.realism import registry as realism


@pytest.mark.parametrize(
    ("registry", "data", "name"),
    [
        (detection, "f1", "f1[radius=12,radius_unit=px]"),
        (detection, {"kind": "f1", "radius": 2.5, "radius_unit": "um"}, "f1[radius=2.5,radius_unit=um]"),
        (detection, "count_error", "count_error"),
        (image_quality, "ssim", "ssim"),
        (image_quality, {"kind": "ms_gmsd", "is_chromatic": True}, "ms_gmsd[is_chromatic=True]"),
        (image_quality, {"kind": "ms_ssim", "weights": [0.5, 0.5]}, "ms_ssim[weights=0.5/0.5]"),
        (realism, {"kind": "recall", "k": 5}, "recall[features=microscopy,k=5]"),
    ],
)
def test_a_variant_has_a_name_of_its_own_in_one_word(registry, data, name):
    assert registry.parse(data).name == name


def test_best_and_worst_are_the_ends_of_the_range():
    psnr, nrmse, f1 = image_quality.parse("psnr"), image_quality.parse("nrmse"), detection.parse("f1")
    assert (psnr.best, psnr.worst) == (math.inf, 0)
    assert (nrmse.best, nrmse.worst) == (0, None)
    assert (f1.best, f1.worst) == (1, 0)
