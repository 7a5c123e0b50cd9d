"""Regions of a volume around its cells, by city-block distance instead of repeated erosion and dilation.

A dilation by one voxel and its six neighbours, repeated r times, reaches all voxels at a city-block distance of r or
less; an erosion is that of the rest. The distance is exact after one sweep to and fro along each axis.
"""

import numpy as np
from jaxtyping import Bool, UInt8
from numba import njit

FOREGROUND, BACKGROUND_INSIDE, BACKGROUND_OUTSIDE = 0, 1, 2
NOWHERE = 3
REGIONS = ("foreground", "background_inside", "background_outside")


def regions_of(
    is_cell: Bool[np.ndarray, "z y x"], closing_px: int, margin_px: int, *, is_padded_sideways: bool = False
) -> UInt8[np.ndarray, "z y x"]:
    """Region of every voxel: in a cell, between the cells of a cluster, or outside of all clusters.

    A cluster is the closing of the cells by `closing_px` steps; both backgrounds lose a margin of `margin_px` steps,
    which belongs nowhere. The volume is continued by background above and below. Sideways it ends: what lies beyond
    counts as eroded, unless `is_padded_sideways`. A cell belongs to no background, not even where the erosion from the
    sides left it out of its cluster.
    """
    pad = closing_px + 1
    side = pad if is_padded_sideways else 0
    widths = [(pad, pad), (side, side), (side, side)]
    inner = tuple(slice(a, n + a) for (a, _), n in zip(widths, is_cell.shape, strict=True))
    cells = np.pad(is_cell, widths)
    closed = _eroded(_distance(cells, closing_px, False) <= closing_px, closing_px)
    between = _eroded(closed & ~cells, margin_px)
    outside = _eroded(~closed, margin_px)
    regions = np.full(cells.shape, NOWHERE, np.uint8)
    regions[outside] = BACKGROUND_OUTSIDE
    regions[between] = BACKGROUND_INSIDE
    regions[cells] = FOREGROUND
    return regions[inner]


def _eroded(mask: Bool[np.ndarray, "z y x"], steps: int) -> Bool[np.ndarray, "z y x"]:
    return _distance(~mask, steps, True) > steps


def _distance(mask: Bool[np.ndarray, "z y x"], longest: int, ends_count: bool) -> UInt8[np.ndarray, "z y x"]:
    """City-block distance to the mask, and to what lies beyond the border where `ends_count`; at most `longest + 1`."""
    cap = longest + 1
    distance = np.where(mask, np.uint8(0), np.uint8(cap))
    _sweep(distance, np.uint8(1 if ends_count else cap))
    return distance


@njit(cache=True)
def _sweep(d, at_end):
    one = np.uint8(1)
    n_z, n_y, n_x = d.shape
    for z in range(n_z):
        for y in range(n_y):
            near = at_end
            for x in range(n_x):
                near = min(d[z, y, x], near)
                d[z, y, x] = near
                near = np.uint8(near + one)
            near = at_end
            for x in range(n_x - 1, -1, -1):
                near = min(d[z, y, x], near)
                d[z, y, x] = near
                near = np.uint8(near + one)
        for x in range(n_x):
            d[z, 0, x] = min(d[z, 0, x], at_end)
            d[z, n_y - 1, x] = min(d[z, n_y - 1, x], at_end)
        for y in range(1, n_y):
            for x in range(n_x):
                d[z, y, x] = min(d[z, y, x], np.uint8(d[z, y - 1, x] + one))
        for y in range(n_y - 2, -1, -1):
            for x in range(n_x):
                d[z, y, x] = min(d[z, y, x], np.uint8(d[z, y + 1, x] + one))
    for end in (0, n_z - 1):
        for y in range(n_y):
            for x in range(n_x):
                d[end, y, x] = min(d[end, y, x], at_end)
    for z in range(1, n_z):
        for y in range(n_y):
            for x in range(n_x):
                d[z, y, x] = min(d[z, y, x], np.uint8(d[z - 1, y, x] + one))
    for z in range(n_z - 2, -1, -1):
        for y in range(n_y):
            for x in range(n_x):
                d[z, y, x] = min(d[z, y, x], np.uint8(d[z + 1, y, x] + one))
