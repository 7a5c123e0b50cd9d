"""SEG, the segmentation accuracy of the Cell Tracking Challenge."""

from typing import Literal

from ..counts import SegCounts, ratio
from ._markers import count_seg
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class CtcSeg(AbstractMetric[SegCounts]):
    """Mean over the reference objects of the IoU with the object that covers them, 0 where none does (SEG) [1]_.

    A predicted object covers a reference object if it holds more than half of its voxels; it may cover several.
    False alarms do not count, for the challenge annotates a part of the cells only. The pooled score of a
    sequence is the one that the challenge reports.

    Range 0 to 1; NaN when the reference has no object, 0 when nothing is covered.

    References
    ----------
    .. [1] M. Maska et al., "A benchmark for comparison of cell tracking algorithms", Bioinformatics 30 (2014)
       1609-1617.
    """

    kind: Literal["ctc_seg"] = "ctc_seg"

    def measure(self, pair: LabelPair) -> SegCounts:
        return count_seg(pair)

    def score(self, counts: SegCounts) -> float:
        return ratio(counts.iou_sum, counts.n_reference)
