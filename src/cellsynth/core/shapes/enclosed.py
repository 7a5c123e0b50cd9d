"""Ellipsoids that end where the cells around them do: nuclei in the cells of a tissue."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..lattice import noise
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, span_in_row, stage, to_3d
from .ellipsoid import Ellipsoid
from .voronoi import Voronoi


@dataclass(frozen=True, eq=False)
class Enclosed(AbstractShape):
    """An ellipse or ellipsoid, and of it what lies in the cell with the key of the object."""

    cells: Voronoi
    """Of the part that they are held in: whole cells, or `interiors`, which leaves out the membranes."""

    irregularity: float = 0.0
    """Largest relative deviation of the outline's radius, 0 to below 1."""

    lobes: float = 1.2
    """Lattice frequency of the deviation over the unit sphere: about how many bumps along a radius of it."""

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        half = half_extents_of_ellipsoids(axes, rotation, 1.0 + self.irregularity)
        staged = stage(canvas, ids, centre, axes, rotation, half)
        wanted, room = np.zeros(canvas.owner.shape, np.bool_), Canvas.blank(canvas.grid, canvas.box)
        _mark(wanted, *staged[2:], 1.0 + self.irregularity)
        self.cells.compete_within(wanted, objects, ids, room)
        _fill(*staged, objects.key, self.irregularity, self.lobes, room.owner)

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the ellipsoid with the largest deviation all around."""
        return Ellipsoid(self.irregularity).half_extents_um(objects, grid)

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """As if nothing were cut off, of which there is little where objects were placed in their cells."""
        return Ellipsoid(self.irregularity).volume_factor(objects, grid)


@njit(cache=True, nogil=True, error_model="numpy")
def _mark(wanted, start, voxel, ids, low, high, centre, axes, rotation, reach):
    """Rows of voxels that an ellipsoid meets; a voxel or two too many."""
    for i in range(ids.size):
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                first = (start[2] + 0.5) * voxel[2] - centre[i, 2]
                begin, end = span_in_row(
                    rotation[i], axes[i], reach, dz, dy, first, voxel[2], low[i, 2], high[i, 2]
                )
                for x in range(begin, end):
                    wanted[z, y, x] = True


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    owner, nearness, start, voxel, ids, low, high, centre, axes, rotation, keys, irregularity, lobes, room
):  # fmt: skip
    reach = 1.0 + irregularity
    for i in range(ids.size):
        turn, axis, label = rotation[i], axes[i], ids[i]
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                first = (start[2] + 0.5) * voxel[2] - centre[i, 2]
                begin, end = span_in_row(turn, axis, reach, dz, dy, first, voxel[2], low[i, 2], high[i, 2])
                for x in range(begin, end):
                    if room[z, y, x] != label:
                        continue
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u, v, w = local_offset(turn, axis, dz, dy, dx)
                    distance = math.sqrt(u * u + v * v + w * w)
                    if distance >= reach:
                        continue
                    if irregularity > 0.0 and distance > 0.0:
                        scale = lobes / distance
                        distance /= 1.0 + irregularity * noise(keys[i], u * scale, v * scale, w * scale)
                    claim(owner, nearness, z, y, x, distance, label)
