"""One-to-one matching of points within a radius."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import KDTree


@dataclass(frozen=True, eq=False)
class PointMatching:
    """Matched pairs; each point is in one pair at most."""

    reference: Int64[np.ndarray, " m"]
    """Index of the reference point of each pair, ascending."""

    prediction: Int64[np.ndarray, " m"]
    """Index of its predicted point."""

    distances: Float64[np.ndarray, " m"]
    """Distance of each pair."""

    def __len__(self) -> int:
        return len(self.reference)


def match_points(
    reference: Float[np.ndarray, "r d"], prediction: Float[np.ndarray, "p d"], radius: float
) -> PointMatching:
    """Match as many points as possible; among such matchings take one of the smallest total distance.

    Pairs farther apart than `radius` are no candidates at all: an assignment of least distance over all pairs,
    cut afterwards, can spend a near partner on a pair that is then thrown away. Points that are each other's only
    candidate match; the rest is one sparse assignment, which falls into the connected parts of the graph of
    candidates by itself, so neither time nor memory grows with the square of the number of points.
    """
    i, j, distances = _candidates(reference, prediction, radius)
    if len(i):
        is_contested = (np.bincount(i)[i] > 1) | (np.bincount(j)[j] > 1)
        kept = ~is_contested
        contested = np.flatnonzero(is_contested)
        kept[contested[_assign(i[contested], j[contested], distances[contested] / radius)]] = True
        i, j, distances = i[kept], j[kept], distances[kept]
    order = np.argsort(i, kind="stable")
    return PointMatching(i[order], j[order], distances[order])


def _candidates(
    reference: Float[np.ndarray, "r d"], prediction: Float[np.ndarray, "p d"], radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both indices and the distance of every pair of points not farther apart than `radius`."""
    if not len(reference) or not len(prediction):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    # A little more than asked for, as the tree rounds on its own; then the rule is exact.
    near = KDTree(reference).sparse_distance_matrix(
        KDTree(prediction), radius * (1 + 1e-9), output_type="ndarray"
    )
    i, j = near["i"].astype(np.int64), near["j"].astype(np.int64)
    distances = np.sqrt(((reference[i] - prediction[j]) ** 2).sum(axis=1))
    is_near = distances <= radius
    return i[is_near], j[is_near], distances[is_near].astype(float)


def _assign(i: np.ndarray, j: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Positions of the candidates that are chosen; `cost` is in [0, 1]."""
    if len(i) == 0:
        return i
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    if len(rows) > len(columns):
        return _assign(j, i, cost)
    # Each row may take a column of its own, which stands for no match. That costs more than all matches
    # together, so one more match outweighs any change of distance. The solver takes no edge of cost 0: add 1.
    n, m = len(rows), len(columns)
    alone = np.arange(n)
    weights = np.concatenate([1 + cost, np.full(n, 3.0 * n)])
    graph = coo_array(
        (weights, (np.concatenate([row, alone]), np.concatenate([column, m + alone]))), shape=(n, m + n)
    ).tocsr()
    taken = np.full(n, -1)
    matched_row, matched_column = min_weight_full_bipartite_matching(graph)
    taken[matched_row] = matched_column
    return np.flatnonzero(taken[row] == column)
