"""Area under the average precision as a function of the IoU threshold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..counts import AbstractCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, registry


@dataclass(frozen=True)
class PairIous(AbstractCounts):
    """Paired objects of all images together."""

    ious: tuple[float, ...]
    """IoU of each pair, in any order: the threshold above which the pair is none."""

    n_objects: float
    """Objects of both sides."""


@registry.register
class SortedAveragePrecision(AbstractMetric[PairIous]):
    """Area under TP / (TP + FP + FN) over all IoU thresholds from 0 to 1 (sortedAP) [1]_.

    Computed exactly: the curve is a staircase that falls at the IoU of every pair. Objects are paired once, one
    to one, with the largest summed IoU, as in the paper; `average_precision` makes as many pairs as
    possible at every threshold anew, which can differ only up to an IoU of 0.56, see `best_one_to_one`.
    Every voxel that is wrong lowers the score, and there is no threshold to choose.

    Range 0 to 1; NaN when neither side has an object, 0 when nothing overlaps.

    References
    ----------
    .. [1] L. Chen, Y. Wu, J. Stegmaier, D. Merhof, "SortedAP: rethinking evaluation metrics for instance
       segmentation", ICCV Workshops 2023, 3923-3929.
    """

    kind: Literal["sorted_average_precision"] = "sorted_average_precision"

    def measure(self, pair: LabelPair) -> PairIous:
        overlap = pair.overlap
        n_objects = len(overlap.reference_ids) + len(overlap.prediction_ids)
        return PairIous(tuple(overlap.pair_ious[overlap.best_pairs].tolist()), n_objects)

    def score(self, counts: PairIous) -> float:
        ends = np.sort(np.array(counts.ious, float))
        if not counts.n_objects:
            return ratio(0, 0)
        tp = np.arange(len(ends), 0, -1)  # pairs that are left below each end
        return float((np.diff(ends, prepend=0) * tp / (counts.n_objects - tp)).sum())
