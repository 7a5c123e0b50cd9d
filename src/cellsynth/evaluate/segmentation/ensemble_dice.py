"""Dice of overlapping objects, the ensemble Dice of the MICCAI nucleus challenges."""

from dataclasses import dataclass
from typing import Literal

from ..counts import AbstractCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, registry


@dataclass(frozen=True)
class PairAreas(AbstractCounts):
    """Areas in voxels, summed over the pairs of objects that overlap."""

    intersection: float
    """Shared by the two."""

    sizes: float
    """Of both, added; an object counts once for each partner."""

    n_objects: float
    """Objects of both sides."""


@registry.register
class EnsembleDice(AbstractMetric[PairAreas]):
    """Twice the intersections over the summed sizes of all pairs of objects that overlap (DICE 2) [1]_.

    Every reference object is paired with every predicted object that shares a voxel with it, so an object that
    was split or merged counts several times and lowers the score. As in HoVer-Net's evaluation an object that
    nothing overlaps counts nowhere: misses and false alarms do not lower the score, so read it beside
    `detection_quality`.

    Range 0 to 1; NaN when neither side has an object, 0 when nothing overlaps.

    References
    ----------
    .. [1] Q. Vu et al., "Methods for segmentation and classification of digital microscopy tissue images",
       Front. Bioeng. Biotechnol. 7 (2019) 53.
    """

    kind: Literal["ensemble_dice"] = "ensemble_dice"

    def measure(self, pair: LabelPair) -> PairAreas:
        overlap = pair.overlap
        shared = float(overlap.pair_intersections_px.sum())
        return PairAreas(
            intersection=shared,
            sizes=float(overlap.pair_unions_px.sum()) + shared,
            n_objects=float(len(overlap.reference_ids) + len(overlap.prediction_ids)),
        )

    def score(self, counts: PairAreas) -> float:
        if counts.n_objects and not counts.sizes:
            return 0.0
        return ratio(2 * counts.intersection, counts.sizes)
