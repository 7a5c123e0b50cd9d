"""One-to-one matching of objects by IoU."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

_SAFE_IOU = (17**0.5 - 3) / 2
"""Above it, 0.5616, a pair is in a matching of the largest summed IoU, whatever else overlaps.

Let a and b be the shares of the two objects that lie in their intersection. To pair both otherwise gains at most
(1 - a) + (1 - b), and loses 1 / (1/a + 1/b - 1). For a given loss the gain is largest where a = b; then it is not
above the loss where 2 (1 - a) <= a / (2 - a), that is a >= (7 - sqrt(17)) / 4, an IoU of (sqrt(17) - 3) / 2."""

_TIE = 1e-10
"""Weight of the intersections among matchings of equal IoU: far below any difference of two summed IoU."""


@dataclass(frozen=True, eq=False)
class Matching:
    """Matched pairs; each object is in one pair at most."""

    reference: Int64[np.ndarray, " m"]
    """Index of the reference object of each pair, ascending."""

    prediction: Int64[np.ndarray, " m"]
    """Index of its predicted object."""

    ious: Float64[np.ndarray, " m"]
    """IoU of each pair."""

    def __len__(self) -> int:
        return len(self.reference)


def match_one_to_one(
    reference: Int64[np.ndarray, " e"],
    prediction: Int64[np.ndarray, " e"],
    ious: Float64[np.ndarray, " e"],
    iou: float,
    *,
    is_strict: bool,
) -> Matching:
    """Match as many objects as possible; among such matchings take one of the largest summed IoU.

    Above an IoU of .5 an object has one possible partner. Only at .5 exactly, or below, can there be a
    choice; it is made by optimal assignment of the contested pairs, without a dense matrix.

    Parameters
    ----------
    reference, prediction, ious
        Overlapping pairs: indices of the two objects, and their IoU.
    iou
        Pairs of at least this IoU may match; where `is_strict`, only pairs above it.
    """
    is_possible = ious > iou if is_strict else ious >= iou
    reference, prediction, ious = reference[is_possible], prediction[is_possible], ious[is_possible]
    if len(reference) == 0:
        return Matching(reference, prediction, ious)
    is_contested = (np.bincount(reference)[reference] > 1) | (np.bincount(prediction)[prediction] > 1)
    kept = ~is_contested
    contested = np.flatnonzero(is_contested)
    if len(contested):
        # One more match outweighs any change of summed IoU, which is at most the number of matches.
        gain = 1 + ious[contested] / (2 * len(contested))
        kept[contested[_assign_sparse(reference[contested], prediction[contested], gain)]] = True
    order = np.argsort(reference[kept], kind="stable")
    return Matching(reference[kept][order], prediction[kept][order], ious[kept][order])


def best_one_to_one(
    reference: Int64[np.ndarray, " e"],
    prediction: Int64[np.ndarray, " e"],
    ious: Float64[np.ndarray, " e"],
    intersections_px: Int64[np.ndarray, " e"],
) -> Int64[np.ndarray, " m"]:
    """Pair objects one to one with the largest summed IoU, and among such the largest summed intersection.

    Unlike `match_one_to_one` it may leave a pair out to make a better one. Pairs above `_SAFE_IOU` are taken at
    once; what is left is small in a good segmentation, and assigned without a dense matrix in a bad one.

    Returns
    -------
    positions
        Of the pairs that were chosen, ascending.
    """
    is_chosen = ious > _SAFE_IOU
    is_open = ~(np.isin(reference, reference[is_chosen]) | np.isin(prediction, prediction[is_chosen]))
    left = np.flatnonzero(is_open)
    if len(left):
        gain = ious[left] + _TIE * intersections_px[left] / intersections_px[left].max()
        is_chosen[left[_assign_sparse(reference[left], prediction[left], gain)]] = True
    return np.flatnonzero(is_chosen)


def _assign_sparse(reference: np.ndarray, prediction: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Positions of the pairs of the largest summed gain, each above 0 and below 2."""
    rows, i = np.unique(reference, return_inverse=True)
    columns, j = np.unique(prediction, return_inverse=True)
    n, m = len(rows), len(columns)
    # Every row has a column of its own that gains nothing, so that it may stay without a partner.
    own = np.arange(n)
    cost = np.concatenate([2 - gain, np.full(n, 2.0)])  # no cost is 0, which would be no pair
    where = (np.concatenate([i, own]), np.concatenate([j, m + own]))
    chosen_row, chosen_column = min_weight_full_bipartite_matching(csr_array((cost, where), shape=(n, m + n)))
    partner = np.empty(n, np.int64)
    partner[chosen_row] = chosen_column
    return np.flatnonzero(partner[i] == j)
