"""IoU of the foreground."""

from typing import Literal

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class Iou(AbstractMetric[PixelCounts]):
    """Common foreground over the foreground of either side: TP / (TP + FP + FN) in voxels [1]_.

    Blind to whether touching cells were told apart. Equals Dice / (2 - Dice).

    Range 0 to 1; NaN when neither side has foreground, 0 when one side has none.

    References
    ----------
    .. [1] P. Jaccard, "The distribution of the flora in the alpine zone", New Phytol. 11 (1912) 37-50.
    """

    kind: Literal["iou"] = "iou"

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        return ratio(counts.tp, counts.tp + counts.fp + counts.fn)
