"""OP_CSB, the overall performance of the Cell Segmentation Benchmark."""

from dataclasses import dataclass
from typing import Literal

from ..counts import AbstractCounts, DetCounts, SegCounts, ratio
from ._markers import count_det, count_seg, det_of
from ._pair import LabelPair
from .base import AbstractMetric, registry


@dataclass(frozen=True)
class CsbCounts(AbstractCounts):
    """What both measures need."""

    seg: SegCounts
    det: DetCounts


@registry.register
class CtcOpCsb(AbstractMetric[CsbCounts]):
    """Mean of `ctc_seg` and `ctc_det`, the latter with the weights of the challenge [1]_.

    Range 0 to 1; NaN when the reference has no object.

    References
    ----------
    .. [1] M. Maska et al., "The Cell Tracking Challenge: 10 years of objective benchmarking", Nat. Methods 20
       (2023) 1010-1020.
    """

    kind: Literal["ctc_op_csb"] = "ctc_op_csb"

    def measure(self, pair: LabelPair) -> CsbCounts:
        return CsbCounts(count_seg(pair), count_det(pair))

    def score(self, counts: CsbCounts) -> float:
        return (ratio(counts.seg.iou_sum, counts.seg.n_reference) + det_of(counts.det)) / 2
