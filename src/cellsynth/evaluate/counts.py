"""What a metric measures on one image: numbers that add up over images before they are scored."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True)
class AbstractCounts:
    """Numbers of one image, each a float or an array, which add field by field.

    The score of one image and the pooled score of many come from the same formula: `score(a)` and
    `score(a + b)`.
    """

    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return type(self)(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class ObjectCounts(AbstractCounts):
    """Objects matched one to one at one IoU threshold."""

    tp: float
    """Matched pairs."""

    fp: float
    """Predicted objects without a partner."""

    fn: float
    """Reference objects without a partner."""

    iou_sum: float
    """Sum of the IoU of the matched pairs."""


@dataclass(frozen=True)
class PixelCounts(AbstractCounts):
    """Voxels by foreground of both sides."""

    tp: float
    """Foreground in both."""

    fp: float
    """Foreground in the prediction only."""

    fn: float
    """Foreground in the reference only."""

    tn: float
    """Background in both."""


def ratio(numerator: float | np.floating, denominator: float | np.floating) -> float:
    """`numerator / denominator`, NaN where the denominator is 0: nothing was there to measure."""
    return float(numerator) / float(denominator) if denominator else float("nan")
