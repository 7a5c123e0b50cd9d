"""Sharpness of every part of every slice of a volume: a quantile of the gradient after blurring.

Blur, gradient and the sorting of its values into columns are one pass per slice; a slice stays in the cache.
"""

import math

import numpy as np
from jaxtyping import Float64, Shaped
from numba import njit

_TRUNCATE = 4.0
"""Radius of the Gaussian in standard deviations; what `scipy.ndimage` takes."""


def edge_quantiles(
    volume: Shaped[np.ndarray, "z y x"], column_px: int, smoothing_px: float, quantile: float
) -> Float64[np.ndarray, "z rows columns"]:
    """Quantile of the edge magnitude of each slice within each column of `column_px` squared.

    Each slice is blurred by a Gaussian, then its gradient is taken by Sobel's kernels (their positive weights sum to
    1), and its magnitude is sqrt((Sy^2 + Sx^2) / 2). Beyond its border a slice is mirrored, the last value repeated.
    The columns lie in the centre of the slice; what is left over at the sides is not looked at, before blurring.
    """
    z, rows, columns = len(volume), volume.shape[1] // column_px, volume.shape[2] // column_px
    top, left = (volume.shape[1] - rows * column_px) // 2, (volume.shape[2] - columns * column_px) // 2
    cropped = volume[:, top : top + rows * column_px, left : left + columns * column_px]
    radius = int(_TRUNCATE * smoothing_px + 0.5)
    offsets = np.arange(radius + 1)
    weights = np.exp(-0.5 * (offsets / smoothing_px) ** 2) if radius else np.ones(1)
    weights /= weights[0] + 2 * weights[1:].sum()
    edges = np.empty((rows, columns, column_px * column_px), np.float32)
    result = np.empty((z, rows, columns))
    position = quantile * (column_px * column_px - 1)
    below = math.floor(position)
    above = min(below + 1, column_px * column_px - 1)
    for i, plane in enumerate(cropped):
        _edges_by_column(
            np.ascontiguousarray(plane, np.float32), weights.astype(np.float32), column_px, edges
        )
        edges.partition(
            below, axis=-1
        )  # one place is found fast; the next value is the least of what is above
        low, high = edges[..., below].astype(float), edges[..., above:].min(axis=-1).astype(float)
        result[i] = low + (position - below) * (high - low)
    return result


# Sums may be taken in any order, so that the compiler adds eight numbers at a time; and rows are views of their own,
# as an index that might be negative keeps it from that.
@njit(cache=True, fastmath=True)
def _edges_by_column(plane, weights, column_px, edges):
    """Blur, take the gradient, and lay out its magnitude column by column."""
    n_y, n_x = plane.shape
    radius = weights.size - 1
    blurred = np.empty((n_y, n_x), np.float32)
    padded = np.empty(n_x + 2 * radius, np.float32)
    row = padded[radius : radius + n_x]
    for y in range(n_y):
        _weighted(row, plane[y], weights[0])
        for t in range(1, radius + 1):
            _add_pair(row, plane[_mirrored(y - t, n_y)], plane[_mirrored(y + t, n_y)], weights[t])
        for t in range(radius):
            padded[radius - 1 - t] = row[_mirrored(-1 - t, n_x)]
            padded[radius + n_x + t] = row[_mirrored(n_x + t, n_x)]
        target = blurred[y]
        _weighted(target, row, weights[0])
        for t in range(1, radius + 1):
            before, after = padded[radius - t : radius - t + n_x], padded[radius + t : radius + t + n_x]
            _add_pair(target, before, after, weights[t])
    smooth, steep = np.empty(n_x + 2, np.float32), np.empty(n_x + 2, np.float32)
    for y in range(n_y):
        _across(
            smooth[1 : n_x + 1],
            steep[1 : n_x + 1],
            blurred[max(y - 1, 0)],
            blurred[y],
            blurred[min(y + 1, n_y - 1)],
        )
        smooth[0], smooth[n_x + 1] = smooth[1], smooth[n_x]
        steep[0], steep[n_x + 1] = steep[1], steep[n_x]
        place = (y % column_px) * column_px
        for column in range(n_x // column_px):
            start = column * column_px
            _along(
                edges[y // column_px, column, place : place + column_px],
                smooth[start : start + column_px + 2],
                steep[start : start + column_px + 2],
            )


@njit(cache=True, fastmath=True)
def _weighted(target, row, weight):
    for x in range(target.size):
        target[x] = weight * row[x]


@njit(cache=True, fastmath=True)
def _add_pair(target, before, after, weight):
    for x in range(target.size):
        target[x] += weight * (before[x] + after[x])


@njit(cache=True, fastmath=True)
def _across(smooth, steep, above, row, below):
    """Both halves of Sobel's kernels that run across the rows."""
    quarter = np.float32(0.25)
    for x in range(smooth.size):
        smooth[x] = quarter * (above[x] + row[x] + row[x] + below[x])
        steep[x] = quarter * (below[x] - above[x])


@njit(cache=True, fastmath=True)
def _along(target, smooth, steep):
    """The other halves, along the row, and the magnitude of both gradients."""
    half = np.float32(0.5)
    steep_0, steep_1, steep_2 = steep[:-2], steep[1:-1], steep[2:]
    smooth_0, smooth_2 = smooth[:-2], smooth[2:]
    for x in range(target.size):
        y_part = steep_0[x] + steep_1[x] + steep_1[x] + steep_2[x]
        x_part = smooth_2[x] - smooth_0[x]
        target[x] = np.sqrt(half * (y_part * y_part + x_part * x_part))


@njit(cache=True)
def _mirrored(i, n):
    """Index within 0 to n - 1 of a sequence that is mirrored at both ends, the end repeated, as often as needed."""
    i = i % (2 * n)
    return i if i < n else 2 * n - 1 - i
