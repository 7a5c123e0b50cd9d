"""Specificity of the foreground."""

from typing import ClassVar, Literal

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class Specificity(AbstractMetric[PixelCounts]):
    """Share of the background of the reference that the prediction leaves empty: TN / (TN + FP) in voxels [1]_.

    Blind to missed cells: a prediction without any cell scores 1.

    Range 0 to 1; NaN when the reference has no background, 1 when neither side has foreground.

    References
    ----------
    .. [1] J. Yerushalmy, "Statistical problems in assessing methods of medical diagnosis", Public Health Rep. 62
       (1947) 1432-1449.
    """

    kind: Literal["specificity"] = "specificity"
    both_empty: ClassVar[float] = 1.0

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        return ratio(counts.tn, counts.tn + counts.fp)
