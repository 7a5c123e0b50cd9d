"""Ellipses or ellipsoids; an outline may waver."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Box, Grid
from ..lattice import noise
from ..scene import AbstractShape, Objects
from ..types import Labels, Plane, Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, span_in_row, stage, to_3d


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

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        half = half_extents_of_ellipsoids(axes, rotation, 1.0 + self.irregularity)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, half),
            objects.key,
            self.irregularity,
            self.lobes,
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the ellipsoid with the largest deviation all around."""
        return half_extents_of_ellipsoids(objects.semi_axes_um, objects.rotation, 1.0 + self.irregularity)

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Mean over all keys: a radius that deviates by a mean of 0 adds its variance to the mean square or cube."""
        variance = (self.irregularity * _OUTLINE_SD[grid.ndim]) ** 2
        return np.full(len(objects), 1.0 + (variance if grid.ndim == 2 else 3 * variance))


_OUTLINE_SD = {2: 0.24, 3: 0.26}
"""Standard deviation of the lattice noise over the outline and over keys, by dimension; a test measures it."""


def draw_ellipsoids(
    objects: Objects, grid: Grid, box: Box, irregularity: float = 0.0, lobes: float = 1.2
) -> tuple[Labels, Plane]:
    """Draw labels, and the scaled distance of every voxel to the centre of its object (1 in background).

    Returns
    -------
    labels : box.shape, int32
    r : box.shape, float32 in [0, 1]
    """
    canvas = Canvas.blank(grid, box)
    Ellipsoid(irregularity, lobes).compete(objects, np.arange(1, len(objects) + 1, dtype=np.int32), canvas)
    return canvas.labels, canvas.distance


_CHUNK = 16
"""Voxels of a row that are worked on at once; most rows of a cell are no longer."""


# NumPy's rules for division: no check of the divisor, which would keep the compiler from vectors.
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
    irregularity,
    lobes,
):
    reach = 1.0 + irregularity
    rounded = np.empty(_CHUNK, np.float32)
    for i in range(ids.size):
        turn, axis, label = rotation[i], axes[i], ids[i]
        # Read once: to the compiler, any array that is written to might be these.
        a, b, c = axis[0], axis[1], axis[2]
        du, dv, dw = turn[2, 0], turn[2, 1], turn[2, 2]
        centre_x, voxel_x, first_px = centre[i, 2], voxel[2], start[2]
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                first = (start[2] + 0.5) * voxel[2] - centre[i, 2]
                begin, end = span_in_row(turn, axis, reach, dz, dy, first, voxel[2], low[i, 2], high[i, 2])
                if irregularity > 0.0:
                    for x in range(begin, end):
                        dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                        u, v, w = local_offset(turn, axis, dz, dy, dx)
                        distance = math.sqrt(u * u + v * v + w * w)
                        if distance >= reach:
                            continue
                        if distance > 0.0:
                            scale = lobes / distance
                            distance /= 1.0 + irregularity * noise(keys[i], u * scale, v * scale, w * scale)
                        claim(owner, nearness, z, y, x, distance, label)
                    continue
                # The same in chunks of a fixed length, which the compiler turns into vectors.
                u0 = dz * turn[0, 0] + dy * turn[1, 0]
                v0 = dz * turn[0, 1] + dy * turn[1, 1]
                w0 = dz * turn[0, 2] + dy * turn[1, 2]
                row_owner, row_nearness = owner[z, y], nearness[z, y]
                for chunk in range(begin, end, _CHUNK):
                    for k in range(_CHUNK):
                        dx = (chunk + k + first_px + 0.5) * voxel_x - centre_x
                        u, v, w = (u0 + dx * du) / a, (v0 + dx * dv) / b, (w0 + dx * dw) / c
                        rounded[k] = math.sqrt(u * u + v * v + w * w)
                    for k in range(min(_CHUNK, end - chunk)):
                        distance, best = rounded[k], row_nearness[chunk + k]
                        if distance < best or (distance == best and label < row_owner[chunk + k]):
                            row_nearness[chunk + k] = distance
                            row_owner[chunk + k] = label
