"""Which predicted object finds a reference object, as the Cell Tracking Challenge says it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from ..counts import DetCounts, SegCounts, ratio
from ._overlap import Overlap
from ._pair import LabelPair


@dataclass(frozen=True, eq=False)
class Found:
    """Reference objects of which one predicted object covers more than half."""

    reference: Int64[np.ndarray, " f"]
    """Index of each, ascending."""

    prediction: Int64[np.ndarray, " f"]
    """Index of the predicted object that covers it; one may cover several."""

    ious: Float64[np.ndarray, " f"]
    """IoU of the two."""


def find_covered(overlap: Overlap) -> Found:
    """List the reference objects that are found: more than half of their voxels lie in one predicted object."""
    is_found = 2 * overlap.pair_intersections_px > overlap.reference_areas_px[overlap.pair_reference]
    return Found(
        overlap.pair_reference[is_found], overlap.pair_prediction[is_found], overlap.pair_ious[is_found]
    )


def count_seg(pair: LabelPair) -> SegCounts:
    """Summed IoU of the reference objects that are found."""
    return SegCounts(float(find_covered(pair.overlap).ious.sum()), len(pair.overlap.reference_ids))


def count_det(pair: LabelPair) -> DetCounts:
    """Count the corrections that would make the prediction right."""
    overlap = pair.overlap
    found = find_covered(overlap)
    n_finding = len(np.unique(found.prediction))
    return DetCounts(
        splits=len(found.reference) - n_finding,
        fn=len(overlap.reference_ids) - len(found.reference),
        fp=len(overlap.prediction_ids) - n_finding,
        n_reference=len(overlap.reference_ids),
    )


def det_of(counts: DetCounts, split: float = 5.0, miss: float = 10.0, false_alarm: float = 1.0) -> float:
    """DET of the counts; NaN without a reference object."""
    from_nothing = miss * counts.n_reference
    corrected = split * counts.splits + miss * counts.fn + false_alarm * counts.fp
    return 1 - ratio(min(corrected, from_nothing), from_nothing)
