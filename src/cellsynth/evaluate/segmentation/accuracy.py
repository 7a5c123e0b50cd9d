"""Accuracy of the foreground."""

from typing import ClassVar, Literal

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class Accuracy(AbstractMetric[PixelCounts]):
    """Share of all voxels that both sides call the same: (TP + TN) / (TP + FP + FN + TN) [1]_.

    Where cells cover little of the image, a prediction without any cell scores well; read it beside
    `matthews_correlation`.

    Range 0 to 1; never NaN: 1 when neither side has foreground.

    References
    ----------
    .. [1] V. Tiryaki et al., Cytometry A 101 (2022) 507-520.
    """

    kind: Literal["accuracy"] = "accuracy"
    both_empty: ClassVar[float] = 1.0

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        return ratio(counts.tp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)
