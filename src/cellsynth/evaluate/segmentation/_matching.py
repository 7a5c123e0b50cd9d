"""One-to-one matching of objects by IoU."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

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
    choice; it is made by optimal assignment in each connected part of the graph of possible pairs, which
    gives what one assignment over all objects gives, without the dense matrix.

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
    kept[_resolve(reference, prediction, ious, np.flatnonzero(is_contested))] = True
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
    """Positions of the pairs of the largest summed gain, each in (0, 1]."""
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


def _resolve(
    reference: np.ndarray, prediction: np.ndarray, ious: np.ndarray, contested: np.ndarray
) -> np.ndarray:
    """Choose among the contested pairs, part by part; gives the positions of those chosen."""
    # A pair that shares an object with a contested pair is itself contested, so whole parts are here.
    if len(contested) == 0:
        return contested
    rows, i = np.unique(reference[contested], return_inverse=True)
    columns, j = np.unique(prediction[contested], return_inverse=True)
    n = len(rows) + len(columns)
    graph = coo_array((np.ones(len(i), np.int8), (i, len(rows) + j)), shape=(n, n))
    part = connected_components(graph, directed=False)[1][i]
    order = np.argsort(part, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
    return np.concatenate([contested[p[_assign(i[p], j[p], ious[contested[p]])]] for p in parts])


def _assign(i: np.ndarray, j: np.ndarray, ious: np.ndarray) -> np.ndarray:
    """Positions of the pairs of one connected part that are chosen."""
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    shape = (len(rows), len(columns))
    # One more match outweighs any change of summed IoU, which is at most the number of matches.
    gain = np.zeros(shape)
    gain[row, column] = 1.0 + ious / (2.0 * min(shape))
    position = np.full(shape, -1)
    position[row, column] = np.arange(len(i))
    chosen = position[linear_sum_assignment(gain, maximize=True)]
    return chosen[chosen >= 0]
