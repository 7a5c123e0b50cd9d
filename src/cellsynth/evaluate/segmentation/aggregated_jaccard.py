"""Aggregated Jaccard index: an IoU of whole images that knows about objects."""

from typing import Literal

import numpy as np

from ..counts import AreaCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class AggregatedJaccard(AbstractMetric[AreaCounts]):
    """Summed intersections over summed unions of each reference object and its best partner (AJI) [1]_.

    The partner has the highest IoU; among equal ones, the lowest id, so only there the ids matter. A
    predicted object may be partner more than once. The areas of those that never are, and of reference objects
    that nothing overlaps, add to the union. This is the rule of HoVer-Net's evaluation; it is not symmetric.

    Range 0 to 1; NaN when neither side has an object, 0 when nothing overlaps.

    References
    ----------
    .. [1] N. Kumar et al., "A dataset and a technique for generalized nuclear segmentation for computational
       pathology", IEEE Trans. Med. Imaging 36 (2017) 1550-1560, Algorithm 1.
    """

    kind: Literal["aggregated_jaccard"] = "aggregated_jaccard"

    def measure(self, pair: LabelPair) -> AreaCounts:
        overlap = pair.overlap
        # Pairs by reference, the best IoU first; the sort is stable and pairs come in order of prediction.
        order = np.lexsort((-overlap.pair_ious, overlap.pair_reference))
        found, first = np.unique(overlap.pair_reference[order], return_index=True)
        best = order[first]
        missed_px = overlap.reference_areas_px.sum() - overlap.reference_areas_px[found].sum()
        used = np.unique(overlap.pair_prediction[best])
        unused_px = overlap.prediction_areas_px.sum() - overlap.prediction_areas_px[used].sum()
        return AreaCounts(
            intersection=float(overlap.pair_intersections_px[best].sum()),
            union=float(overlap.pair_unions_px[best].sum() + missed_px + unused_px),
        )

    def score(self, counts: AreaCounts) -> float:
        return ratio(counts.intersection, counts.union)
