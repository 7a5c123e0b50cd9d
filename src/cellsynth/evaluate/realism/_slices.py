"""Wasserstein-1 distance of the values of two slices, region by region."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Integer, Shaped, UInt8
from numba import njit

from ..images import scaled
from ._regions import NOWHERE

_MOST_LEVELS = 2**16
"""Integers of up to so many levels are counted; others, and floats, are sorted."""


@dataclass(frozen=True, eq=False)
class Volume:
    """One channel of a volume with its regions."""

    values: Shaped[np.ndarray, "z y x"]
    """As given."""

    regions: UInt8[np.ndarray, "z y x"]

    data_range: tuple[float, float]
    """What the values may be."""


def n_levels(dtype: np.dtype, data_range: tuple[float, float]) -> int:
    """Levels of an integer image; 0 where its values have to be sorted."""
    width = data_range[1] - data_range[0] + 1
    is_countable = dtype.kind in "iu" and width <= _MOST_LEVELS and data_range[0] == int(data_range[0])
    return int(width) if is_countable else 0


def similarities(reference: Volume, candidate: Volume) -> Float64[np.ndarray, "3 k"]:
    """1 - W(reference, candidate) / W(reference, black) of each region in each slice that both volumes have.

    NaN where a side has no voxel of the region, or the reference is black there.
    """
    sides = (reference, candidate)
    low, levels = reference.data_range[0], n_levels(reference.values.dtype, reference.data_range)
    is_counted = levels > 0 and len({(side.values.dtype, side.data_range) for side in sides}) == 1
    depth = min(len(side.values) for side in sides)
    result = np.full((NOWHERE, depth), np.nan)
    for z in range(depth):
        slices = [
            (np.ascontiguousarray(side.values[z]), np.ascontiguousarray(side.regions[z])) for side in sides
        ]
        if is_counted:
            result[:, z] = _by_counts(*(_histograms(*one, int(low), levels) for one in slices))
        else:
            result[:, z] = _by_order(
                *(_sorted(*one, side.data_range) for one, side in zip(slices, sides, strict=True))
            )
    return result


def _by_counts(a: Integer[np.ndarray, "3 v"], b: Integer[np.ndarray, "3 v"]) -> Float64[np.ndarray, " 3"]:
    n, m = a.sum(axis=1), b.sum(axis=1)
    brightness = a @ np.arange(a.shape[1]) / np.maximum(n, 1)
    area = np.abs(np.cumsum(a / np.maximum(n, 1)[:, None] - b / np.maximum(m, 1)[:, None], axis=1)).sum(
        axis=1
    )
    is_known = (n > 0) & (m > 0) & (brightness > 0)
    return np.where(is_known, 1 - area / np.where(is_known, brightness, 1), np.nan)


def _by_order(a: list[np.ndarray], b: list[np.ndarray]) -> Float64[np.ndarray, " 3"]:
    result = np.full(len(a), np.nan)
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if len(x) and len(y) and (brightness := float(x.mean(dtype=float))) > 0:
            result[i] = 1 - _area_between(x, y) / brightness
    return result


def _sorted(plane: np.ndarray, regions: np.ndarray, data_range: tuple[float, float]) -> list[np.ndarray]:
    values = scaled(plane, data_range, plane.dtype if plane.dtype.kind == "f" else np.float64)[0]
    return [np.sort(values[regions == region]) for region in range(NOWHERE)]


@njit(cache=True)
def _histograms(plane, regions, low, levels):
    """Count the values of each region."""
    counts = np.zeros((4, levels), np.int64)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            counts[regions[y, x], np.int64(plane[y, x]) - low] += 1
    return counts[:3]


@njit(cache=True)
def _area_between(x, y):
    """Area between the distribution functions of two ascending samples."""
    i, j, area = 0, 0, 0.0
    last = np.float64(min(x[0], y[0]))
    while i < x.size or j < y.size:
        if j == y.size or (i < x.size and x[i] <= y[j]):
            value = np.float64(x[i])
            area += abs(i / x.size - j / y.size) * (value - last)
            i += 1
        else:
            value = np.float64(y[j])
            area += abs(i / x.size - j / y.size) * (value - last)
            j += 1
        last = value
    return area
