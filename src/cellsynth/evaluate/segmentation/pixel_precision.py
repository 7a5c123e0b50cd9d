"""Precision of the foreground."""

from typing import ClassVar, Literal

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class PixelPrecision(AbstractMetric[PixelCounts]):
    """Share of the predicted foreground that is foreground in the reference: TP / (TP + FP) in voxels [1]_.

    `precision` is the same of objects.

    Range 0 to 1; never NaN: 0 when nothing was predicted and the reference has foreground, 1 when neither side has
    foreground.

    References
    ----------
    .. [1] C. van Rijsbergen, "Information retrieval", 2nd edition, Butterworths 1979.
    """

    kind: Literal["pixel_precision"] = "pixel_precision"
    both_empty: ClassVar[float] = 1.0

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        if counts.tp + counts.fp == 0:
            return 1.0 if counts.fn == 0 else 0.0
        return ratio(counts.tp, counts.tp + counts.fp)
