"""Cells of a tissue without gaps, their membranes, or what is inside of these."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..scene import AbstractShape, Objects
from ..tessellation import Tessellation
from ..types import Points
from ..warp import displacements_in_row, stretch
from ._cell_search import candidates, narrowed
from ._frame import claim

Part = Literal["cells", "membranes", "interiors"]
_NUMBER = {"cells": 0, "membranes": 1, "interiors": 2}


@dataclass(frozen=True, eq=False)
class Voronoi(AbstractShape):
    """Cells of a tessellation, whole, or the layer along their walls, or what that layer leaves.

    An object is the cell of the seed with its key; its frame says nothing about its outline. Cells of seeds that are
    no object keep their room and are background. The scaled distance is that to the seed, over the furthest there is.
    """

    tessellation: Tessellation

    part: Part = "cells"
    """What of the cells belongs to the objects."""

    membrane_um: float = 0.5
    """Thickness of the membranes of two cells where they touch: each cell has half of it, along its walls and along
    the border of the region. Exact for plane walls and to first order for bent ones."""

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        self.compete_within(None, objects, ids, canvas)

    def compete_within(
        self,
        wanted: Bool[np.ndarray, "z y x"] | None,
        objects: Objects,
        ids: Integer[np.ndarray, " n"],
        canvas: Canvas,
    ) -> None:
        """Draw the objects where voxels of the canvas are wanted; None is everywhere."""
        diagram = self.tessellation
        if not len(diagram) or not canvas.owner.size:
            return
        label = np.zeros(len(diagram), np.int32)
        label[diagram.places_of(objects.key)] = ids
        moved = diagram.warp.in_canvas(canvas)
        walls = diagram.walls
        depth = None if walls is None else walls.in_box(canvas.grid, canvas.box).reshape(canvas.owner.shape)
        if wanted is not None:
            depth = np.where(wanted, np.float32(np.inf) if depth is None else depth, np.float32(0))
        spacing = diagram.spacing_um
        block = np.clip((_BLOCK * spacing / canvas.voxel_um).astype(np.int64), 1, 64)
        tile = np.minimum(block, _TILE[2 if diagram.is_flat else 3])
        _paint(
            canvas.owner, canvas.nearness, canvas.start, canvas.voxel_um, label, *diagram.bins,
            diagram.heaviest_um2, diagram.furthest_um, 1 / self._furthest_um,
            _NO_DEPTH if depth is None else depth, depth is not None, *moved.before, *moved.share,
            moved.at_point, moved.step_um, block, tile, self.membrane_um / 2, _NUMBER[self.part],
        )  # fmt: skip

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """As far as a cell may reach from its seed, which is within it."""
        offset = np.abs(objects.centre_um - self._seeds(objects, grid))
        reach = self.tessellation.reach_um[self.tessellation.rows_of(objects.key)]
        return offset + (reach + self._furthest_shift_um)[:, None]

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Measured along rays from the seeds, before the warp."""
        rows = self.tessellation.rows_of(objects.key)
        whole = self.tessellation.extents.volume[rows]
        if self.part != "cells":
            inside = self.tessellation.measured(self.membrane_um / 2).volume[rows]
            whole = inside if self.part == "interiors" else whole - inside
        unit = np.pi if grid.ndim == 2 else 4 / 3 * np.pi
        return whole / (unit * objects.semi_axes_um.prod(axis=1))

    def _seeds(self, objects: Objects, grid: Grid) -> np.ndarray:
        return self.tessellation.seed_um[self.tessellation.rows_of(objects.key)][:, 3 - grid.ndim :]

    @property
    def _furthest_um(self) -> float:
        """No voxel of any cell is further from its seed."""
        return self.tessellation.furthest_um + self._furthest_shift_um

    @property
    def _furthest_shift_um(self) -> float:
        return math.sqrt(3) * self.tessellation.warp.amplitude_um


_NO_DEPTH = np.empty((0, 0, 0), np.float32)

_WIDEST = 2.0
"""A warp stretches space by no more."""

_BLOCK = 1.2
"""Distances between seeds that a block is wide, for which seeds are looked up in their bins."""

_TILE = {2: np.array([1, 8, 16]), 3: np.array([2, 6, 6])}
"""Voxels of a tile, by dimension: of a block's seeds few matter in it."""


@njit(cache=True, nogil=True, error_model="numpy")
def _paint(
    owner, nearness, start, voxel, label, seed, weight, reach, first, n_bins, low, size, heaviest, furthest,
    per_reach, depth, has_depth, index_z, index_y, index_x, share_z, share_y, share_x, at_point, lattice_step,
    block, tile, half, part,
):  # fmt: skip
    """Block by block the seeds that matter in it, tile by tile of these those that matter there, then the voxels.

    Parameters
    ----------
    part
        0 cells, 1 their membranes, 2 what these leave.
    """
    n_z, n_y, n_x = owner.shape
    nearby, found = np.empty(64, np.int64), np.empty(64, np.int64)
    at_row = np.empty((at_point.shape[2], 3))
    low_um, high_um = np.empty(3), np.empty(3)
    thickness = 0.0 if part == 0 else 2.0 * half * _WIDEST
    for z0, y0, x0 in np.ndindex(-(-n_z // block[0]), -(-n_y // block[1]), -(-n_x // block[2])):
        z0, y0, x0 = z0 * block[0], y0 * block[1], x0 * block[2]
        z1, y1, x1 = min(z0 + block[0], n_z), min(y0 + block[1], n_y), min(x0 + block[2], n_x)
        if has_depth and _is_outside(depth, z0, z1, y0, y1, x0, x1):
            continue
        _looked_up(z0, z1, y0, y1, x0, x1, start, voxel, at_point, index_z, index_y, index_x, low_um, high_um)
        nearby, n_nearby = candidates(
            low_um, high_um, seed, weight, first, n_bins, low, size, furthest, thickness, heaviest, nearby
        )
        if n_nearby == 0:
            continue
        if n_nearby > found.size:
            found = np.empty(nearby.size, np.int64)
        for a in range(z0, z1, tile[0]):
            for b in range(y0, y1, tile[1]):
                for c in range(x0, x1, tile[2]):
                    za, yb, xc = min(a + tile[0], z1), min(b + tile[1], y1), min(c + tile[2], x1)
                    if has_depth and _is_outside(depth, a, za, b, yb, c, xc):
                        continue
                    _looked_up(
                        a,
                        za,
                        b,
                        yb,
                        c,
                        xc,
                        start,
                        voxel,
                        at_point,
                        index_z,
                        index_y,
                        index_x,
                        low_um,
                        high_um,
                    )
                    n = narrowed(
                        low_um, high_um, seed, weight, thickness, heaviest, size, nearby, n_nearby, found
                    )
                    _paint_tile(
                        owner, nearness, start, voxel, label, seed, weight, reach, per_reach, depth, has_depth,
                        index_z, index_y, index_x, share_z, share_y, share_x, at_point, lattice_step, half, part,
                        a, za, b, yb, c, xc, found, n, at_row, low_um, high_um,
                    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _paint_tile(
    owner, nearness, start, voxel, label, seed, weight, reach, per_reach, depth, has_depth,
    index_z, index_y, index_x, share_z, share_y, share_x, at_point, lattice_step, half, part,
    z0, z1, y0, y1, x0, x1, found, n, at_row, low_um, high_um,
):  # fmt: skip
    is_one = n == 1 and _is_within(low_um, high_um, seed[found[0]], reach[found[0]])
    if is_one and ((part == 1 and not has_depth) or label[found[0]] == 0):
        return
    for z in range(z0, z1):
        iz, fz, pz = index_z[z], share_z[z], (z + start[0] + 0.5) * voxel[0]
        for y in range(y0, y1):
            iy, fy, py = index_y[y], share_y[y], (y + start[1] + 0.5) * voxel[1]
            if not is_one:
                displacements_in_row(at_point, iz, iy, index_x[x0], index_x[x1 - 1] + 2, fz, fy, at_row)
            for x in range(x0, x1):
                if has_depth and depth[z, y, x] <= 0.0:
                    continue
                ix, fx, px = index_x[x], share_x[x], (x + start[2] + 0.5) * voxel[2]
                best = found[0]
                is_membrane = has_depth and depth[z, y, x] < half
                if not is_one:
                    wz = pz + at_row[ix, 0] * (1.0 - fx) + at_row[ix + 1, 0] * fx
                    wy = py + at_row[ix, 1] * (1.0 - fx) + at_row[ix + 1, 1] * fx
                    wx = px + at_row[ix, 2] * (1.0 - fx) + at_row[ix + 1, 2] * fx
                    least = np.inf
                    for c in range(n):
                        j = found[c]
                        dz, dy, dx = wz - seed[j, 0], wy - seed[j, 1], wx - seed[j, 2]
                        power = dz * dz + dy * dy + dx * dx - weight[j]
                        if power < least:
                            best, least = j, power
                    if least + weight[best] > reach[best] * reach[best]:
                        continue
                    if label[best] != 0 and part != 0 and not is_membrane:
                        is_membrane = _is_near_wall(
                            wz, wy, wx, best, least, seed, weight, found, n, half, at_point, iz, iy, ix, fz, fy, fx,
                            lattice_step,
                        )  # fmt: skip
                if label[best] == 0 or (part == 1 and not is_membrane) or (part == 2 and is_membrane):
                    continue
                dz, dy, dx = pz - seed[best, 0], py - seed[best, 1], px - seed[best, 2]
                distance = math.sqrt(dz * dz + dy * dy + dx * dx) * per_reach
                claim(owner, nearness, z, y, x, distance, label[best])


@njit(cache=True, nogil=True, error_model="numpy")
def _is_near_wall(
    wz, wy, wx, best, least, seed, weight, found, n, half, at_point, iz, iy, ix, fz, fy, fx, lattice_step
):  # fmt: skip
    """Whether a place is within `half` of the wall between its cell and any other."""
    for c in range(n):
        j = found[c]
        if j == best:
            continue
        dz, dy, dx = wz - seed[j, 0], wy - seed[j, 1], wx - seed[j, 2]
        above = dz * dz + dy * dy + dx * dx - weight[j] - least
        dz, dy, dx = seed[j, 0] - seed[best, 0], seed[j, 1] - seed[best, 1], seed[j, 2] - seed[best, 2]
        far2 = dz * dz + dy * dy + dx * dx
        widest = 2.0 * half * _WIDEST
        if above * above >= widest * widest * far2:
            continue
        far = math.sqrt(far2)
        widened = stretch(at_point, iz, iy, ix, fz, fy, fx, lattice_step, dz / far, dy / far, dx / far)
        if 0.5 * above / far < half * widened:
            return True
    return False


@njit(cache=True, nogil=True)
def _looked_up(
    z0, z1, y0, y1, x0, x1, start, voxel, at_point, index_z, index_y, index_x, low, high
):  # fmt: skip
    """Corners of a box around the places where the voxels of a box are looked up."""
    low[0], high[0] = (z0 + start[0] + 0.5) * voxel[0], (z1 + start[0] - 0.5) * voxel[0]
    low[1], high[1] = (y0 + start[1] + 0.5) * voxel[1], (y1 + start[1] - 0.5) * voxel[1]
    low[2], high[2] = (x0 + start[2] + 0.5) * voxel[2], (x1 + start[2] - 0.5) * voxel[2]
    for axis in range(3):
        least, most = np.inf, -np.inf
        for z in range(index_z[z0], index_z[z1 - 1] + 2):
            for y in range(index_y[y0], index_y[y1 - 1] + 2):
                for x in range(index_x[x0], index_x[x1 - 1] + 2):
                    value = at_point[z, y, x, axis]
                    least, most = min(least, value), max(most, value)
        # Between lattice points the displacement lies between theirs.
        low[axis] += least - 1e-9
        high[axis] += most + 1e-9


@njit(cache=True, nogil=True)
def _is_outside(depth, z0, z1, y0, y1, x0, x1):
    for z in range(z0, z1):
        for y in range(y0, y1):
            for x in range(x0, x1):
                if depth[z, y, x] > 0.0:
                    return False
    return True


@njit(cache=True, nogil=True)
def _is_within(low, high, place, reach):
    """Whether a box is within reach as a whole."""
    total = 0.0
    for k in range(3):
        far = max(place[k] - low[k], high[k] - place[k])
        total += far * far
    return total < reach * reach * (1.0 - 1e-9)
