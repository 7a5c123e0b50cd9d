"""What a metric measures on one image: numbers that add up over images before they are scored."""

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np


@dataclass(frozen=True)
class AbstractCounts:
    """Numbers of one image which add field by field: floats, arrays, tuples (joined), counters (by key).

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


@dataclass(frozen=True)
class AreaCounts(AbstractCounts):
    """Areas in voxels, summed over objects."""

    intersection: float
    """Shared by each reference object and its partner."""

    union: float
    """Of each reference object and its partner, and of all objects without one."""


@dataclass(frozen=True)
class SegCounts(AbstractCounts):
    """Reference objects and the predicted objects that cover them."""

    iou_sum: float
    """Sum of the IoU of each covered reference object with the object that covers it."""

    n_reference: float
    """Reference objects, covered or not."""


@dataclass(frozen=True)
class DetCounts(AbstractCounts):
    """Corrections that would make a prediction right."""

    splits: float
    """Separations of objects that cover several reference objects."""

    fn: float
    """Reference objects that no object covers."""

    fp: float
    """Predicted objects that cover none."""

    n_reference: float
    """Reference objects."""


@dataclass(frozen=True)
class EventCounts(AbstractCounts):
    """Events of one kind."""

    n: float
    n_images: float


@dataclass(frozen=True)
class MeanCounts(AbstractCounts):
    """Values to be averaged."""

    total: float
    n: float


def ratio(numerator: float | np.floating, denominator: float | np.floating) -> float:
    """`numerator / denominator`, NaN where the denominator is 0: nothing was there to measure."""
    return float(numerator) / float(denominator) if denominator else float("nan")


def matthews(tp: float, fp: float, fn: float, tn: float) -> float:
    """Matthews' correlation of two yes-or-no answers; where a margin is 0: 1 if they never differ, else 0."""
    if fp == 0 and fn == 0:
        return 1.0
    # Two roots: the product of four counts of a large volume would lose digits.
    margins = math.sqrt((tp + fp) * (tp + fn)) * math.sqrt((tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / margins if margins else 0.0
