"""Which of many boxes meet a box: a table of coarse bins, made once and asked often."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numba import njit

from .grid import Box

_MAX_BINS_OF_ONE = 64
"""A box that covers more bins than this is kept in a list of its own, which every question reads."""


@dataclass(frozen=True, eq=False)
class BoxIndex:
    """Boxes of voxels, listed by the cubic bins of the grid that they meet.

    Making it takes time and memory in proportion to the boxes, asking in proportion to the boxes nearby.
    """

    low: Int64[np.ndarray, "n 3"]
    high: Int64[np.ndarray, "n 3"]
    bin_px: int
    n_bins: Int64[np.ndarray, "3"]
    first: Int64[np.ndarray, " bins_and_one"]
    """Where the list of each bin begins in `member`."""

    member: Int64[np.ndarray, " members"]
    large: Int64[np.ndarray, " large"]

    @classmethod
    def build(cls, low: np.ndarray, high: np.ndarray, shape_px: tuple[int, ...]) -> "BoxIndex":
        """List the boxes `low` (included) to `high` (excluded); what lies outside of the grid is left out.

        Parameters
        ----------
        low, high
            (n, d) voxel indices.
        shape_px
            Of the grid, d = 2 or 3 axes.
        """
        missing = 3 - len(shape_px)
        shape = np.array((1,) * missing + shape_px, np.int64)
        low3, high3 = np.zeros((len(low), 3), np.int64), np.ones((len(low), 3), np.int64)
        low3[:, missing:], high3[:, missing:] = np.maximum(low, 0), np.minimum(high, shape[missing:])
        bin_px = _bin_size(low3, high3, shape)
        n_bins = -(-shape // bin_px)
        counts = np.zeros(int(np.prod(n_bins)) + 1, np.int64)
        is_large = np.zeros(len(low), np.bool_)
        _count(low3, high3, bin_px, n_bins, counts, is_large)
        first = np.cumsum(counts)
        member = np.empty(first[-1], np.int64)
        _list(low3, high3, bin_px, n_bins, first[:-1].copy(), is_large, member)
        return cls(low3, high3, bin_px, n_bins, first, member, np.flatnonzero(is_large))

    def meeting(self, box: Box) -> Int64[np.ndarray, " found"]:
        """Indices of the boxes that share a voxel with `box`, ascending."""
        missing = 3 - len(box.start)
        start = np.array((0,) * missing + box.start, np.int64)
        stop = np.array((1,) * missing + box.stop, np.int64)
        found = _find(
            start, stop, self.low, self.high, self.bin_px, self.n_bins, self.first, self.member, self.large
        )
        return np.sort(found)


def _bin_size(low: np.ndarray, high: np.ndarray, shape: np.ndarray) -> int:
    """About twice the mean extent of a box, so that a box meets few bins; no more bins than four times the boxes."""
    extent = (high - low)[(high > low).all(axis=1)]
    size = max(16.0, 2.0 * float(extent.max(axis=1).mean())) if len(extent) else float(shape.max())
    while np.prod(np.ceil(shape / size)) > 4 * len(extent) + 64:
        size *= 1.25
    return int(np.ceil(size))


@njit(cache=True, nogil=True, inline="always")
def _number_of_bin(z, y, x, n_bins):
    return (z * n_bins[1] + y) * n_bins[2] + x


@njit(cache=True, nogil=True)
def _count(low, high, size, n_bins, counts, is_large):
    """Fill `counts[b + 1]` with how many boxes meet bin b, leaving out the large ones."""
    for i in range(low.shape[0]):
        n = 1
        for k in range(3):
            n *= (high[i, k] - 1) // size - low[i, k] // size + 1 if high[i, k] > low[i, k] else 0
        is_large[i] = n > _MAX_BINS_OF_ONE
        if n == 0 or is_large[i]:
            continue
        for z in range(low[i, 0] // size, (high[i, 0] - 1) // size + 1):
            for y in range(low[i, 1] // size, (high[i, 1] - 1) // size + 1):
                for x in range(low[i, 2] // size, (high[i, 2] - 1) // size + 1):
                    counts[_number_of_bin(z, y, x, n_bins) + 1] += 1


@njit(cache=True, nogil=True)
def _list(low, high, size, n_bins, following, is_large, member):
    """Write each box into the lists of its bins; `following` is where the next member of a bin goes."""
    for i in range(low.shape[0]):
        if is_large[i] or (high[i] <= low[i]).any():
            continue
        for z in range(low[i, 0] // size, (high[i, 0] - 1) // size + 1):
            for y in range(low[i, 1] // size, (high[i, 1] - 1) // size + 1):
                for x in range(low[i, 2] // size, (high[i, 2] - 1) // size + 1):
                    b = _number_of_bin(z, y, x, n_bins)
                    member[following[b]] = i
                    following[b] += 1


@njit(cache=True, nogil=True)
def _find(start, stop, low, high, size, n_bins, first, member, large):
    found = np.empty(16, np.int64)
    n = 0
    if (stop <= start).any():
        return found[:0]
    a, b = start // size, (stop - 1) // size
    for z in range(a[0], b[0] + 1):
        for y in range(a[1], b[1] + 1):
            for x in range(a[2], b[2] + 1):
                bin_number = _number_of_bin(z, y, x, n_bins)
                for m in range(first[bin_number], first[bin_number + 1]):
                    i = member[m]
                    # A box in several bins is taken in the first of them that the question looks at.
                    if (
                        max(low[i, 0] // size, a[0]) != z
                        or max(low[i, 1] // size, a[1]) != y
                        or max(low[i, 2] // size, a[2]) != x
                    ):
                        continue
                    if _meets(i, low, high, start, stop):
                        if n == found.size:
                            found = np.concatenate((found, np.empty(n, np.int64)))
                        found[n] = i
                        n += 1
    for i in large:
        if _meets(i, low, high, start, stop):
            if n == found.size:
                found = np.concatenate((found, np.empty(n, np.int64)))
            found[n] = i
            n += 1
    return found[:n]


@njit(cache=True, nogil=True, inline="always")
def _meets(i, low, high, start, stop):
    return (
        low[i, 0] < stop[0]
        and high[i, 0] > start[0]
        and low[i, 1] < stop[1]
        and high[i, 1] > start[1]
        and low[i, 2] < stop[2]
        and high[i, 2] > start[2]
    )
