"""Ellipses or ellipsoids; an outline may waver."""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from ..grid import Box, Grid
from ..lattice import noise
from ..scene import AbstractShape, Objects
from ..types import Labels, Plane
from ._frame import to_3d


@dataclass(frozen=True)
class Ellipsoid(AbstractShape):
    """Ellipses or ellipsoids; an outline may waver.

    A voxel belongs to the object whose scaled distance `r` (0 at the centre, 1 on the outline) is smallest,
    so overlapping objects meet in a smooth line; equal distances go to the lower label.
    """

    irregularity: float = 0.0
    """Largest relative deviation of the outline's radius, 0 to below 1."""

    lobes: float = 1.2
    """Lattice frequency of the deviation over the unit sphere: about how many bumps along a radius of it."""

    def draw(self, objects: Objects, grid: Grid, box: Box) -> Labels:
        """Labels of `box`."""
        return draw_ellipsoids(objects, grid, box, self.irregularity, self.lobes)[0]


def draw_ellipsoids(
    objects: Objects, grid: Grid, box: Box, irregularity: float = 0.0, lobes: float = 1.2
) -> tuple[Labels, Plane]:
    """Draw labels, and the scaled distance of every voxel to the centre of its object (1 in background).

    Returns
    -------
    labels : box.shape, int32
    r : box.shape, float32 in [0, 1]
    """
    centre, axes, rotation = to_3d(objects, grid)
    shape = (1,) * (3 - grid.ndim) + box.shape
    start = np.array((0,) * (3 - grid.ndim) + box.start, np.int64)
    voxel = np.array((1.0,) * (3 - grid.ndim) + grid.voxel_um)
    labels = np.zeros(shape, np.int32)
    r = np.ones(shape, np.float32)
    _fill(labels, r, start, voxel, centre, axes, rotation, objects.key, irregularity, lobes)
    return labels.reshape(box.shape), r.reshape(box.shape)


@njit(cache=True)
def _fill(labels, r, start, voxel, centre, axes, rotation, keys, irregularity, lobes):
    shape = labels.shape
    reach = 1.0 + irregularity
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(centre.shape[0]):
        turn = rotation[i]
        is_visible = True
        for k in range(3):
            # Half the height of the ellipsoid's bounding box along axis k.
            half = reach * math.sqrt(
                (turn[k, 0] * axes[i, 0]) ** 2
                + (turn[k, 1] * axes[i, 1]) ** 2
                + (turn[k, 2] * axes[i, 2]) ** 2
            )
            low[k] = max(math.floor((centre[i, k] - half) / voxel[k]) - start[k], 0)
            high[k] = min(math.ceil((centre[i, k] + half) / voxel[k]) - start[k], shape[k])
            is_visible = is_visible and low[k] < high[k]
        if not is_visible:
            continue
        for z in range(low[0], high[0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[1], high[1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                for x in range(low[2], high[2]):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u = (dz * turn[0, 0] + dy * turn[1, 0] + dx * turn[2, 0]) / axes[i, 0]
                    v = (dz * turn[0, 1] + dy * turn[1, 1] + dx * turn[2, 1]) / axes[i, 1]
                    w = (dz * turn[0, 2] + dy * turn[1, 2] + dx * turn[2, 2]) / axes[i, 2]
                    distance = math.sqrt(u * u + v * v + w * w)
                    if distance >= reach:
                        continue
                    if irregularity > 0.0 and distance > 0.0:
                        scale = lobes / distance
                        distance /= 1.0 + irregularity * noise(keys[i], u * scale, v * scale, w * scale)
                    # Compared at the precision it is stored in, or of two equal distances the later might win.
                    rounded = np.float32(distance)
                    if rounded < r[z, y, x]:
                        r[z, y, x] = rounded
                        labels[z, y, x] = i + 1
