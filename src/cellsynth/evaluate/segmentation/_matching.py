"""One-to-one matching of objects by IoU."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


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
