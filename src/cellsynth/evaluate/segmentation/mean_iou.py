"""IoU of two classes, foreground and background, averaged."""

from typing import ClassVar, Literal

import numpy as np

from ..counts import PixelCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class MeanIou(AbstractMetric[PixelCounts]):
    """Mean of the IoU of the foreground and the IoU of the background, in voxels [1]_.

    A class that neither side has is left out of the mean. The background is mostly large and easy, so the score
    is higher than `iou`.

    Range 0 to 1; never NaN: 1 when neither side has foreground, for the background agrees.

    References
    ----------
    .. [1] M. Everingham et al., "The Pascal Visual Object Classes challenge: a retrospective", Int. J. Comput.
       Vis. 111 (2015) 98-136.
    """

    kind: Literal["mean_iou"] = "mean_iou"
    both_empty: ClassVar[float] = 1.0

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        foreground = ratio(counts.tp, counts.tp + counts.fp + counts.fn)
        background = ratio(counts.tn, counts.tn + counts.fp + counts.fn)
        return float(np.nanmean([foreground, background]))
