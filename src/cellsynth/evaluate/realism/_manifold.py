"""Which images of one set lie within the manifold of the other."""

import numpy as np
from jaxtyping import Bool, Float64

_BLOCK = 1024
"""Rows of a distance matrix held at a time."""


def is_within_manifold(
    points: Float64[np.ndarray, "n d"], manifold: Float64[np.ndarray, "m d"], k: int
) -> Bool[np.ndarray, " n"]:
    """For each point: does it lie in a ball around a point of the manifold that reaches to its k-th neighbour there?"""
    reach = np.concatenate(
        [
            np.partition(_squared_distances(manifold[i : i + _BLOCK], manifold, i), k - 1, axis=1)[:, k - 1]
            for i in range(0, len(manifold), _BLOCK)
        ]
    )
    return np.concatenate(
        [
            (_squared_distances(points[i : i + _BLOCK], manifold) <= reach).any(axis=1)
            for i in range(0, len(points), _BLOCK)
        ]
    )


def _squared_distances(x: np.ndarray, y: np.ndarray, own_start: int | None = None) -> np.ndarray:
    """Of every pair of rows; a row of `y` that is the row of `x` itself (from `own_start` on) is infinitely far."""
    squared = np.maximum((x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * (x @ y.T), 0)
    # The difference of large numbers leaves noise in place of small distances; equal rows must be at 0.
    near = np.nonzero(squared <= 1e-6 * (x * x).sum(axis=1)[:, None])
    squared[near] = ((x[near[0]] - y[near[1]]) ** 2).sum(axis=1)
    if own_start is not None:
        squared[np.arange(len(x)), own_start + np.arange(len(x))] = np.inf
    return squared
