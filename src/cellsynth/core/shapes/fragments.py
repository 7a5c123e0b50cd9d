"""What is left of cells that fell apart: a few bright pieces each."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..lattice import uniform
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, stage, to_3d

_N_TRIES = 40
"""Places that a piece may try for one that is free; of none the one with the least overlap is taken."""


@dataclass(frozen=True)
class Fragments(AbstractShape):
    """Several small pieces within the ellipsoid of the frame: apoptotic debris.

    In semi-axes of the object the pieces are balls of unlike sizes, at random places as a whole inside of the unit
    ball and free of each other. The scaled distance is that to the centre of the nearest piece over its radius.

    References
    ----------
    .. [1] R. Bruch et al., Communications Biology (2025), doi 10.1038/s42003-025-07469-2: fragments that fill 5 % of
       a nucleus, in the image and not in the labels. There they are cut out of real images.
    """

    n_fragments: tuple[int, int] = (3, 8)
    """Fewest and most pieces of an object, 1 to 40."""

    filled: float = 0.05
    """Part of the ellipsoid that they fill, above 0 and at most 0.3."""

    def __post_init__(self) -> None:
        if not 1 <= self.n_fragments[0] <= self.n_fragments[1] <= 40:
            raise ValueError(f"n_fragments is a range [fewest, most] within 1 to 40; saw {self.n_fragments}")
        if not 0 < self.filled <= 0.3:
            raise ValueError(f"filled is above 0 and at most 0.3; saw {self.filled}")

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        half = half_extents_of_ellipsoids(axes, rotation)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, half),
            objects.key,
            canvas.grid.ndim,
            *self.n_fragments,
            self.filled,
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of all pieces."""
        _, axes, rotation = to_3d(objects, grid)
        half = np.zeros_like(axes)
        _stretch(half, axes, rotation, objects.key, grid.ndim, *self.n_fragments, self.filled)
        return half[:, 3 - grid.ndim :]

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Exact where no pieces overlap, as is the rule up to a fill of 0.2."""
        return np.full(len(objects), self.filled)


@njit(cache=True, nogil=True)
def _lay(piece, key, ndim, fewest, most, filled):
    """Fill rows of `piece` (zyx and radius, in semi-axes of the object); give how many."""
    n = fewest + int((most - fewest + 1) * uniform(key, 0, 90))
    total = 0.0
    for k in range(n):
        piece[k, 3] = 0.2 + 0.8 * uniform(key, k, 91)
        total += piece[k, 3]
    for k in range(n):
        radius = (filled * piece[k, 3] / total) ** (1.0 / ndim)
        widest_gap = -np.inf
        for attempt in range(_N_TRIES):
            counter = k * _N_TRIES + attempt
            distance = (1.0 - radius) * uniform(key, counter, 92) ** (1.0 / ndim)
            height = 0.0 if ndim == 2 else 2.0 * uniform(key, counter, 93) - 1.0
            angle = 2.0 * math.pi * uniform(key, counter, 94)
            width = math.sqrt(1.0 - height * height)
            z, y, x = (
                distance * height,
                distance * width * math.sin(angle),
                distance * width * math.cos(angle),
            )
            gap = np.inf
            for other in range(k):
                between = math.sqrt(
                    (z - piece[other, 0]) ** 2 + (y - piece[other, 1]) ** 2 + (x - piece[other, 2]) ** 2
                )
                gap = min(gap, between - radius - piece[other, 3])
            if gap > widest_gap:
                widest_gap = gap
                piece[k, 0], piece[k, 1], piece[k, 2] = z, y, x
            if gap > 0.0:
                break
        piece[k, 3] = radius
    return n


@njit(cache=True, nogil=True)
def _edges(piece, turn, axes, offset, half):
    """Centre of a piece from that of its object, and half its bounding box, in um along the axes of the grid."""
    for k in range(3):
        offset[k], square = 0.0, 0.0
        for j in range(3):
            along = turn[k, j] * axes[j]
            offset[k] += along * piece[j]
            square += along * along
        half[k] = piece[3] * math.sqrt(square)


@njit(cache=True, nogil=True)
def _stretch(half, axes, rotation, keys, ndim, fewest, most, filled):
    """Widen bounding boxes to hold all pieces."""
    piece, offset, own = np.empty((most, 4)), np.empty(3), np.empty(3)
    for i in range(keys.size):
        for p in range(_lay(piece, keys[i], ndim, fewest, most, filled)):
            _edges(piece[p], rotation[i], axes[i], offset, own)
            for k in range(3):
                half[i, k] = max(half[i, k], abs(offset[k]) + own[k])


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    owner,
    nearness,
    start,
    voxel,
    ids,
    low,
    high,
    centre,
    axes,
    rotation,
    keys,
    ndim,
    fewest,
    most,
    filled,
):
    piece, offset, half = np.empty((most, 4)), np.empty(3), np.empty(3)
    begin, end = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(ids.size):
        if (high[i] <= low[i]).any():
            continue
        for p in range(_lay(piece, keys[i], ndim, fewest, most, filled)):
            _edges(piece[p], rotation[i], axes[i], offset, half)
            radius = piece[p, 3]
            for k in range(3):
                # Held to the window of the object before they become whole numbers.
                first = math.floor((centre[i, k] + offset[k] - half[k]) / voxel[k]) - start[k]
                last = math.ceil((centre[i, k] + offset[k] + half[k]) / voxel[k]) - start[k]
                begin[k] = int(max(first, float(low[i, k])))
                end[k] = int(min(last, float(high[i, k])))
            for z in range(begin[0], end[0]):
                dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0] - offset[0]
                for y in range(begin[1], end[1]):
                    dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1] - offset[1]
                    for x in range(begin[2], end[2]):
                        dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2] - offset[2]
                        u, v, w = local_offset(rotation[i], axes[i], dz, dy, dx)
                        distance = math.sqrt(u * u + v * v + w * w) / radius
                        if distance < 1.0:
                            claim(owner, nearness, z, y, x, distance, ids[i])
