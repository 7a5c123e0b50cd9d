"""Cells of a tissue without gaps, their membranes, or what is inside of these."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..scene import AbstractShape, Objects
from ..tessellation import Tessellation
from ..types import Points
from ..warp import displacement, stretch
from ._cell_search import candidates
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
        diagram = self.tessellation
        if not len(diagram) or not canvas.owner.size:
            return
        label = np.zeros(len(diagram), np.int32)
        label[diagram.rows_of(objects.key)] = ids
        moved = diagram.warp.in_canvas(canvas)
        walls = diagram.walls
        depth = None if walls is None else walls.in_box(canvas.grid, canvas.box).reshape(canvas.owner.shape)
        spacing = math.sqrt(float(np.median(diagram.weight_um2)) + 1e-12)
        spacing = max(spacing, float(np.median(diagram.reach_um)) / 6)
        block = np.clip((spacing / 2 / canvas.voxel_um).astype(np.int64), 2, 16)
        _paint(
            canvas.owner, canvas.nearness, canvas.start, canvas.voxel_um, label[diagram.order], *diagram.bins,
            float(diagram.weight_um2.max()), float(diagram.reach_um.max()), 1 / self._furthest_um,
            _NO_DEPTH if depth is None else depth, depth is not None, *moved.index, *moved.share,
            moved.at_point, moved.step_um, block, self.membrane_um / 2, _NUMBER[self.part],
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
        return float(self.tessellation.reach_um.max()) + self._furthest_shift_um

    @property
    def _furthest_shift_um(self) -> float:
        return math.sqrt(3) * self.tessellation.warp.amplitude_um


_NO_DEPTH = np.empty((0, 0, 0), np.float32)

_WIDEST = 2.0
"""A warp stretches space by no more."""


@njit(cache=True, nogil=True, error_model="numpy")
def _paint(
    owner, nearness, start, voxel, label, seed, weight, reach, first, n_bins, low, size, heaviest, furthest,
    per_reach,
    depth, has_depth, index_z, index_y, index_x, share_z, share_y, share_x, at_point, lattice_step, block,
    half, part,
):  # fmt: skip
    """Block by block: the seeds that matter in it, then its voxels.

    Parameters
    ----------
    part
        0 cells, 1 their membranes, 2 what these leave.
    """
    n_z, n_y, n_x = owner.shape
    found = np.empty(64, np.int64)
    power = np.empty(64)
    low_um, high_um = np.empty(3), np.empty(3)
    thickness = 0.0 if part == 0 else 2.0 * half * _WIDEST
    for z0 in range(0, n_z, block[0]):
        z1 = min(z0 + block[0], n_z)
        for y0 in range(0, n_y, block[1]):
            y1 = min(y0 + block[1], n_y)
            for x0 in range(0, n_x, block[2]):
                x1 = min(x0 + block[2], n_x)
                if has_depth and _is_outside(depth, z0, z1, y0, y1, x0, x1):
                    continue
                low_um[0], high_um[0] = (z0 + start[0] + 0.5) * voxel[0], (z1 + start[0] - 0.5) * voxel[0]
                low_um[1], high_um[1] = (y0 + start[1] + 0.5) * voxel[1], (y1 + start[1] - 0.5) * voxel[1]
                low_um[2], high_um[2] = (x0 + start[2] + 0.5) * voxel[2], (x1 + start[2] - 0.5) * voxel[2]
                _widen(
                    at_point, index_z[z0], index_z[z1 - 1] + 2, index_y[y0], index_y[y1 - 1] + 2,
                    index_x[x0], index_x[x1 - 1] + 2, low_um, high_um,
                )  # fmt: skip
                found, n = candidates(
                    low_um,
                    high_um,
                    seed,
                    weight,
                    first,
                    n_bins,
                    low,
                    size,
                    furthest,
                    thickness,
                    heaviest,
                    found,
                )
                if n == 0:
                    continue
                if n > power.size:
                    power = np.empty(2 * n)
                is_one = n == 1 and _is_within(low_um, high_um, seed[found[0]], reach[found[0]])
                if is_one and ((part == 1 and not has_depth) or label[found[0]] == 0):
                    continue
                for z in range(z0, z1):
                    iz, fz, pz = index_z[z], share_z[z], (z + start[0] + 0.5) * voxel[0]
                    for y in range(y0, y1):
                        iy, fy, py = index_y[y], share_y[y], (y + start[1] + 0.5) * voxel[1]
                        for x in range(x0, x1):
                            if has_depth and depth[z, y, x] <= 0.0:
                                continue
                            ix, fx, px = index_x[x], share_x[x], (x + start[2] + 0.5) * voxel[2]
                            best = found[0]
                            is_membrane = has_depth and depth[z, y, x] < half
                            if not is_one:
                                wz = pz + displacement(at_point, iz, iy, ix, fz, fy, fx, 0)
                                wy = py + displacement(at_point, iz, iy, ix, fz, fy, fx, 1)
                                wx = px + displacement(at_point, iz, iy, ix, fz, fy, fx, 2)
                                least = np.inf
                                for c in range(n):
                                    j = found[c]
                                    dz, dy, dx = wz - seed[j, 0], wy - seed[j, 1], wx - seed[j, 2]
                                    power[c] = dz * dz + dy * dy + dx * dx - weight[j]
                                    if power[c] < least:
                                        best, least = j, power[c]
                                if least + weight[best] > reach[best] * reach[best]:
                                    continue
                                if part != 0 and not is_membrane:
                                    for c in range(n):
                                        j = found[c]
                                        if j == best:
                                            continue
                                        dz, dy, dx = (
                                            seed[j, 0] - seed[best, 0],
                                            seed[j, 1] - seed[best, 1],
                                            seed[j, 2] - seed[best, 2],
                                        )
                                        far = math.sqrt(dz * dz + dy * dy + dx * dx)
                                        wall = 0.5 * (power[c] - least) / far
                                        if wall < half * _WIDEST and wall < half * stretch(
                                            at_point, iz, iy, ix, fz, fy, fx, lattice_step,
                                            dz / far, dy / far, dx / far,
                                        ):  # fmt: skip
                                            is_membrane = True
                                            break
                            if label[best] == 0 or (part == 1 and not is_membrane) or (part == 2 and is_membrane):
                                continue
                            dz, dy, dx = pz - seed[best, 0], py - seed[best, 1], px - seed[best, 2]
                            distance = math.sqrt(dz * dz + dy * dy + dx * dx) * per_reach
                            claim(owner, nearness, z, y, x, distance, label[best])


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


@njit(cache=True, nogil=True)
def _widen(at_point, z0, z1, y0, y1, x0, x1, low, high):
    """By the displacements at the lattice points around, between which those of the voxels lie."""
    for axis in range(3):
        least, most = np.inf, -np.inf
        for z in range(z0, z1):
            for y in range(y0, y1):
                for x in range(x0, x1):
                    value = at_point[z, y, x, axis]
                    least, most = min(least, value), max(most, value)
        low[axis] += least - 1e-9
        high[axis] += most + 1e-9
