"""What PointPair refuses, and in which words."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.evaluate.detection import PointPair, registry

TWO = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.array([[1.0, np.nan]]), TWO), r"reference has 1 points with a NaN .* row 0: \[1.0, nan\]"),
        ((TWO, np.array([[1.0, 2.0], [np.inf, 0.0]])), "prediction has 1 points .* row 1"),
        ((TWO.astype(int), TWO), r"int64; positions are floats, so convert it with .astype\(float\)"),
        ((TWO[:, :1], TWO), r"shape \(2, 1\); positions are \(n, 2\) or \(n, 3\)"),
        ((np.zeros(0), TWO), r"shape \(0,\).*\(0, 2\) or \(0, 3\) without a point"),
        ((np.zeros((1, 3)), TWO), "reference has 3 coordinates per point and prediction 2"),
    ],
)
def test_positions_that_cannot_be_used_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        PointPair(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"voxel_um": (1.0,)}, "needs a positive size for each of the 2 axes"),
        ({"voxel_um": (1.0, 0.0)}, "needs a positive size"),
        ({"voxel_um": (1.0, float("nan"))}, "needs a positive size"),
        ({"reference_classes": np.zeros(2, int)}, "only one side has classes"),
        ({"reference_classes": np.zeros(3, int), "prediction_classes": np.zeros(2, int)}, "needs one each"),
        ({"reference_classes": np.zeros(2), "prediction_classes": np.zeros(2, int)}, "number the classes"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        PointPair(TWO, TWO, **options)


def test_the_other_unit_needs_the_size_of_a_voxel():
    with pytest.raises(InputError, match=r"positions are in px and the radius is in um; give voxel_um"):
        PointPair(TWO, TWO).match(2, "um")


@pytest.mark.parametrize("kind", ["class_f1", "class_accuracy"])
def test_metrics_of_classes_say_that_there_are_none(kind):
    with pytest.raises(InputError, match="points have no classes"):
        registry.parse(kind).measure(PointPair(TWO, TWO))
