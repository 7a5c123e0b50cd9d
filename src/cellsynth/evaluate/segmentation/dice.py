"""Dice coefficient of the foreground."""

from typing import Literal

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class Dice(AbstractMetric[PixelCounts]):
    """Twice the common foreground over the sum of both foregrounds: 2 TP / (2 TP + FP + FN) in voxels [1]_.

    Blind to whether touching cells were told apart.

    Range 0 to 1; NaN when neither side has foreground, 0 when one side has none.

    References
    ----------
    .. [1] L. Dice, "Measures of the amount of ecologic association between species", Ecology 26 (1945)
       297-302.
    """

    kind: Literal["dice"] = "dice"

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)
