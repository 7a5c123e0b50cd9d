"""The walls of a cell of a tessellation, as seen from its seed: kernels."""

import math

import numpy as np
from numba import njit

from .field import depth_at

FEWEST_RINGS, _MOST_RINGS = 2, 7
"""Of bins around a seed's own in which its neighbours are looked for; a bin holds about one seed."""

_MAX_STEPS = 40
"""Of a way to the border of the region."""


@njit(cache=True, nogil=True, inline="always")
def bin_of(place, low, size, n):
    """Number of the bin along an axis; of a place outside the nearest."""
    return min(max(math.floor((place - low) / size), 0), n - 1)


@njit(cache=True, nogil=True)
def walls_of(i, seed, weight, first, n_bins, low, size, rings):
    """Planes that may bound the cell of seed `i`, the nearest first: (n, 5) distance, unit normal zyx, which seed.

    Parameters
    ----------
    rings
        Of bins around its own in which the other seeds are.
    """
    bz = bin_of(seed[i, 0], low[0], size, n_bins[0])
    by = bin_of(seed[i, 1], low[1], size, n_bins[1])
    bx = bin_of(seed[i, 2], low[2], size, n_bins[2])
    n = 0
    for z in range(max(bz - rings, 0), min(bz + rings + 1, n_bins[0])):
        for y in range(max(by - rings, 0), min(by + rings + 1, n_bins[1])):
            row = (z * n_bins[1] + y) * n_bins[2]
            n += first[row + min(bx + rings, n_bins[2] - 1) + 1] - first[row + max(bx - rings, 0)]
    found = np.empty((n, 5))
    n = 0
    for z in range(max(bz - rings, 0), min(bz + rings + 1, n_bins[0])):
        for y in range(max(by - rings, 0), min(by + rings + 1, n_bins[1])):
            row = (z * n_bins[1] + y) * n_bins[2]
            begin = first[row + max(bx - rings, 0)]
            end = first[row + min(bx + rings, n_bins[2] - 1) + 1]
            for j in range(begin, end):
                dz, dy, dx = seed[j, 0] - seed[i, 0], seed[j, 1] - seed[i, 1], seed[j, 2] - seed[i, 2]
                length = math.sqrt(dz * dz + dy * dy + dx * dx)
                if j == i or length == 0.0:
                    continue
                found[n, 0] = 0.5 * (length + (weight[i] - weight[j]) / length)
                found[n, 1], found[n, 2], found[n, 3] = dz / length, dy / length, dx / length
                found[n, 4] = j
                n += 1
    return found[:n][np.argsort(found[:n, 0])]


@njit(cache=True, nogil=True)
def has_more_walls(radius, rings, size, weight, heaviest):
    """Whether seeds beyond these rings may bound a cell that reaches `radius` from its seed."""
    nearest = rings * size
    return rings < _MOST_RINGS and 0.5 * (nearest - max(heaviest - weight, 0.0) / nearest) < radius


@njit(cache=True, nogil=True)
def ray_length(place, direction, walls, reach, field, origin, step, has_border, inset):
    """Way from a seed along a direction to where its cell, less a layer of thickness `inset`, ends; 0 if at once."""
    length = reach
    for j in range(walls.shape[0]):
        distance = walls[j, 0] - inset
        if distance >= length:
            break  # this wall and all others are further away than that, along whatever direction
        along = walls[j, 1] * direction[0] + walls[j, 2] * direction[1] + walls[j, 3] * direction[2]
        if distance <= 0.0:
            return 0.0
        if along > 0.0:
            length = min(length, distance / along)
    if not has_border:
        return length
    # Depth is the distance to the border, so no step as long as it leaves the region.
    way = 0.0
    for _ in range(_MAX_STEPS):
        z, y, x = place[0] + way * direction[0], place[1] + way * direction[1], place[2] + way * direction[2]
        depth = depth_at(field, origin, step, z, y, x)[0] - inset
        if depth <= 1e-3 * length:
            return way
        # Somewhat less, as depth in an ellipsoid is exact near its border only.
        way += 0.8 * depth
        if way >= length:
            return length
    return way


@njit(cache=True, nogil=True)
def room_to_walls(dz, dy, dx, walls):
    """Distance of a point, given by its offset from the seed, to the nearest wall; negative outside."""
    room, offset = np.inf, math.sqrt(dz * dz + dy * dy + dx * dx)
    for j in range(walls.shape[0]):
        if walls[j, 0] - offset >= room:
            break  # the others are further from the seed than this one
        room = min(room, walls[j, 0] - (walls[j, 1] * dz + walls[j, 2] * dy + walls[j, 3] * dx))
    return room
