"""Spots: bodies that may be smaller than a voxel, as FISH dots and vesicles are."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, stage, to_3d


@dataclass(frozen=True)
class Spot(AbstractShape):
    """Balls (discs), of which each shows at least the voxel that its centre is in.

    A spot owns that voxel before all spots whose centre is elsewhere, so one is hidden only where the centre of
    another lies in the same voxel; then the one nearer to the centre of the voxel is seen.
    """

    is_point_source: ClassVar[bool] = True

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        half = np.maximum(half_extents_of_ellipsoids(axes, rotation), _HALF * canvas.voxel_um)
        _fill(*stage(canvas, ids, centre, axes, rotation, half))

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the ball, or of the one voxel."""
        ball = half_extents_of_ellipsoids(objects.semi_axes_um, objects.rotation)
        return np.maximum(ball, _HALF * np.asarray(grid.voxel_um))

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """1: that of a body larger than a voxel; of smaller ones the labels show more."""
        return np.ones(len(objects))


_HALF = 0.5 * (1 + 1e-9)
"""A voxel reaches this far from its centre, in voxels, and a little more for rounding."""

_AT_HOME = 1e-3
"""Scaled distance of a spot to the farthest corner of the voxel that its centre is in: below that of any other."""


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(owner, nearness, start, voxel, ids, low, high, centre, axes, rotation):
    for i in range(ids.size):
        turn, axis = rotation[i], axes[i]
        home_z = math.floor(centre[i, 0] / voxel[0]) - start[0]
        home_y = math.floor(centre[i, 1] / voxel[1]) - start[1]
        home_x = math.floor(centre[i, 2] / voxel[2]) - start[2]
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                for x in range(low[i, 2], high[i, 2]):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    if z == home_z and y == home_y and x == home_x:
                        corners = (dz / voxel[0]) ** 2 + (dy / voxel[1]) ** 2 + (dx / voxel[2]) ** 2
                        distance = _AT_HOME * math.sqrt(corners / 0.75)
                    else:
                        u, v, w = local_offset(turn, axis, dz, dy, dx)
                        distance = max(math.sqrt(u * u + v * v + w * w), 1.1 * _AT_HOME)
                    if distance < 1.0:
                        claim(owner, nearness, z, y, x, distance, ids[i])
