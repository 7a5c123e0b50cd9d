"""Recall of the foreground."""

from typing import Literal

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class PixelRecall(AbstractMetric[PixelCounts]):
    """Share of the foreground of the reference that was predicted: TP / (TP + FN) in voxels [1]_.

    `recall` is the same of objects.

    Range 0 to 1; NaN when the reference has no foreground, 0 when nothing was predicted.

    References
    ----------
    .. [1] C. van Rijsbergen, "Information retrieval", 2nd edition, Butterworths 1979.
    """

    kind: Literal["pixel_recall"] = "pixel_recall"

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        return ratio(counts.tp, counts.tp + counts.fn)
