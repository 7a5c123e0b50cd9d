"""Count the voxels of every combination of two ids that occurs, in one pass over two label arrays.

Neighbours in raster order mostly carry the same two ids, so runs are counted and only the end of a run
touches the hash table. The table holds the combinations that occur, never one entry for all that could:
10,000 by 10,000 objects are some 30,000 entries and not 10^8.
"""

import numpy as np
from jaxtyping import Int64, Integer, UInt64
from numba import njit

_SHIFT = np.uint64(32)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth's multiplicative hash

ID_MAX = 2**32 - 1
"""Largest id that fits the table: two ids share one 64-bit key."""


@njit(cache=True, nogil=True, inline="always")
def _slot(keys, counts, key):
    """Find the place of `key`: where it is, or the free place where it belongs."""
    last = np.uint64(keys.size - 1)  # size is a power of two
    place = (key * _GOLDEN) >> _SHIFT & last
    while counts[place] != 0 and keys[place] != key:
        place = (place + np.uint64(1)) & last
    return place


@njit(cache=True, nogil=True)
def _doubled(keys, counts):
    new_keys, new_counts = np.zeros(2 * keys.size, np.uint64), np.zeros(2 * keys.size, np.int64)
    for old in range(keys.size):
        if counts[old]:
            place = _slot(new_keys, new_counts, keys[old])
            new_keys[place], new_counts[place] = keys[old], counts[old]
    return new_keys, new_counts


@njit(cache=True, nogil=True)
def _tally(first, second):
    keys, counts = np.zeros(4096, np.uint64), np.zeros(4096, np.int64)
    n_used, start = 0, 0
    a, b = first[0], second[0]
    next_a, next_b = a, b
    for i in range(1, first.size + 1):
        if i < first.size:
            next_a, next_b = first[i], second[i]
            if next_a == a and next_b == b:
                continue
        key = np.uint64(a) << _SHIFT | np.uint64(b)
        place = _slot(keys, counts, key)
        n_used += counts[place] == 0
        keys[place] = key
        counts[place] += i - start
        start, a, b = i, next_a, next_b
        if 2 * n_used > keys.size:
            keys, counts = _doubled(keys, counts)
    return keys[counts > 0], counts[counts > 0]


def tally(
    first: Integer[np.ndarray, "*zyx"], second: Integer[np.ndarray, "*zyx"]
) -> tuple[UInt64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Voxels of every combination of ids that occurs.

    Parameters
    ----------
    first, second
        Ids from 0 to `ID_MAX`, with or without gaps.

    Returns
    -------
    keys
        `first id * 2^32 + second id`, ascending.
    counts
        Voxels of each, at least 1.
    """
    keys, counts = _tally(np.ascontiguousarray(first).ravel(), np.ascontiguousarray(second).ravel())
    order = np.argsort(keys)
    return keys[order], counts[order]
