"""Aggregated Jaccard index with partners one to one."""

from typing import Literal

from ..counts import AreaCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class AggregatedJaccardPlus(AbstractMetric[AreaCounts]):
    """Summed intersections over summed unions of objects paired one to one (AJI+) [1]_.

    The pairing has the largest summed IoU there is; among such, the largest summed intersection, so ids do not
    matter. Areas of objects without a partner add to the union. Unlike `aggregated_jaccard` no object is
    counted twice, and swapping the sides changes nothing.

    Range 0 to 1; NaN when neither side has an object, 0 when nothing overlaps.

    References
    ----------
    .. [1] S. Graham et al., "HoVer-Net: simultaneous segmentation and classification of nuclei in multi-tissue
       histology images", Med. Image Anal. 58 (2019) 101563; the variant of their published evaluation.
    """

    kind: Literal["aggregated_jaccard_plus"] = "aggregated_jaccard_plus"

    def measure(self, pair: LabelPair) -> AreaCounts:
        overlap = pair.overlap
        chosen = overlap.best_pairs
        shared = float(overlap.pair_intersections_px[chosen].sum())
        # Both areas of every object, with or without partner, less what partners share: the union of all pairs.
        areas = float(overlap.reference_areas_px.sum() + overlap.prediction_areas_px.sum())
        return AreaCounts(intersection=shared, union=areas - shared)

    def score(self, counts: AreaCounts) -> float:
        return ratio(counts.intersection, counts.union)
