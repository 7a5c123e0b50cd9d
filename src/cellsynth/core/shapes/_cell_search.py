"""Which seeds matter to a small block of voxels: a kernel that leaves out only what can never win there."""

import math

import numpy as np
from numba import njit

from ..cell_walls import bin_of

_SLACK = 1e-9
"""Relative to squared distances: far above what rounding loses."""


@njit(cache=True, nogil=True, inline="always")
def _power(seed, weight, j, z, y, x):
    dz, dy, dx = z - seed[j, 0], y - seed[j, 1], x - seed[j, 2]
    return dz * dz + dy * dy + dx * dx - weight[j]


@njit(cache=True, nogil=True)
def _best_near(middle, half, seed, weight, first, n_bins, low, size, furthest, thickness, heaviest):
    """The seed that owns the middle of a block, and how many rings of bins may hold others that matter.

    Returns
    -------
    best
        -1 where no seed is within reach.
    ring
    """
    bz = bin_of(middle[0], low[0], size, n_bins[0])
    by = bin_of(middle[1], low[1], size, n_bins[1])
    bx = bin_of(middle[2], low[2], size, n_bins[2])
    radius = math.sqrt(half[0] * half[0] + half[1] * half[1] + half[2] * half[2])
    best, best_power = -1, np.inf
    last = max(n_bins[0], max(n_bins[1], n_bins[2]))
    for ring in range(last + 1):
        for z in range(max(bz - ring, 0), min(bz + ring + 1, n_bins[0])):
            for y in range(max(by - ring, 0), min(by + ring + 1, n_bins[1])):
                is_face = abs(z - bz) == ring or abs(y - by) == ring
                row = (z * n_bins[1] + y) * n_bins[2]
                for x in range(max(bx - ring, 0), min(bx + ring + 1, n_bins[2])):
                    if not is_face and abs(x - bx) != ring:
                        continue
                    for j in range(first[row + x], first[row + x + 1]):
                        power = _power(seed, weight, j, middle[0], middle[1], middle[2])
                        if power < best_power:
                            best, best_power = j, power
        # No seed that is still unseen is nearer to the middle than this, nor to any voxel than `near`.
        near = ring * size - radius
        if best < 0:
            if near > furthest:
                return -1, ring
            continue
        own = math.sqrt(max(best_power + weight[best], 0.0))
        worst = (own + radius) * (own + radius) - weight[best]
        between = math.sqrt(max(worst + heaviest, 0.0)) + 2.0 * radius + 2.0 * own
        needed = worst + heaviest + thickness * (ring * size + between) + _SLACK * (worst + heaviest)
        if near > thickness and near * near > needed:
            return best, ring
    return best, last


@njit(cache=True, nogil=True)
def candidates(
    low_um, high_um, seed, weight, first, n_bins, low, size, furthest, thickness, heaviest, found
):  # fmt: skip
    """Seeds that may own a voxel of a block, or whose wall may be within `thickness` of one that they do not own.

    Parameters
    ----------
    low_um, high_um : (3,)
        Corners of a box around the places where the voxels are looked up.
    furthest, heaviest
        Largest reach, and largest weight, of all seeds.
    found
        Where they are written, ascending; grows.

    Returns
    -------
    found, n
    """
    middle, half = np.empty(3), np.empty(3)
    for k in range(3):
        middle[k], half[k] = 0.5 * (low_um[k] + high_um[k]), 0.5 * (high_um[k] - low_um[k])
    best, ring = _best_near(
        middle, half, seed, weight, first, n_bins, low, size, furthest, thickness, heaviest
    )
    if best < 0:
        return found, 0
    bz = bin_of(middle[0], low[0], size, n_bins[0])
    by = bin_of(middle[1], low[1], size, n_bins[1])
    bx = bin_of(middle[2], low[2], size, n_bins[2])
    power = _power(seed, weight, best, middle[0], middle[1], middle[2])
    slack = _SLACK * (abs(power) + heaviest + size * size)
    spread = 0.0
    n = 0
    # First those that may own a voxel, which says how far their walls may be from the best seed's; then all.
    for stage in range(1 if thickness == 0.0 else 2):
        n = 0
        for z in range(max(bz - ring, 0), min(bz + ring + 1, n_bins[0])):
            for y in range(max(by - ring, 0), min(by + ring + 1, n_bins[1])):
                row = (z * n_bins[1] + y) * n_bins[2]
                begin = first[row + max(bx - ring, 0)]
                end = first[row + min(bx + ring, n_bins[2] - 1) + 1]
                for j in range(begin, end):
                    dz, dy, dx = (
                        seed[j, 0] - seed[best, 0],
                        seed[j, 1] - seed[best, 1],
                        seed[j, 2] - seed[best, 2],
                    )
                    # The difference of two powers is linear, so its least value in the box is at a corner.
                    least = (
                        _power(seed, weight, j, middle[0], middle[1], middle[2])
                        - power
                        - 2.0 * (abs(dz) * half[0] + abs(dy) * half[1] + abs(dx) * half[2])
                    )
                    far = math.sqrt(dz * dz + dy * dy + dx * dx)
                    if stage == 0:
                        if least > slack:
                            continue
                        spread = max(spread, far)
                    elif least > slack + thickness * (far + spread):
                        continue
                    if n == found.size:
                        found = np.concatenate((found, np.empty(n, np.int64)))
                    found[n] = j
                    n += 1
    return found, n


@njit(cache=True, nogil=True)
def narrowed(low_um, high_um, seed, weight, thickness, heaviest, size, given, n_given, found):
    """Of the first `n_given` seeds of `given` those that matter in a smaller box, as `candidates` finds them.

    Parameters
    ----------
    given
        The candidates of a box around it.
    found
        Where they are written, in the order given; at least as long.

    Returns
    -------
    n
    """
    middle, half = np.empty(3), np.empty(3)
    for k in range(3):
        middle[k], half[k] = 0.5 * (low_um[k] + high_um[k]), 0.5 * (high_um[k] - low_um[k])
    best, power = -1, np.inf
    for c in range(n_given):
        own = _power(seed, weight, given[c], middle[0], middle[1], middle[2])
        if own < power:
            best, power = given[c], own
    slack = _SLACK * (abs(power) + heaviest + size * size)
    spread, n = 0.0, 0
    for stage in range(1 if thickness == 0.0 else 2):
        n = 0
        for c in range(n_given):
            j = given[c]
            dz, dy, dx = seed[j, 0] - seed[best, 0], seed[j, 1] - seed[best, 1], seed[j, 2] - seed[best, 2]
            least = _power(seed, weight, j, middle[0], middle[1], middle[2]) - power
            least -= 2.0 * (abs(dz) * half[0] + abs(dy) * half[1] + abs(dx) * half[2])
            if stage == 0:
                if least > slack:
                    continue
                spread = max(spread, math.sqrt(dz * dz + dy * dy + dx * dx))
            elif least > slack and least - slack - thickness * spread > thickness * math.sqrt(
                dz * dz + dy * dy + dx * dx
            ):
                continue
            found[n] = j
            n += 1
    return n
