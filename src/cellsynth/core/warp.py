"""Warp: a smooth displacement of every point of space, so that what is straight becomes wavy."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numba import njit

from .canvas import Canvas
from .lattice import noise

_POINTS_PER_LENGTH = 4
"""Lattice points per length of the noise; between them the displacement is linear."""


class Displacements(NamedTuple):
    """Displacements at the lattice points around a box, and where its voxels lie in that lattice, for kernels."""

    at_point: Float[np.ndarray, "z y x 3"]
    """In um, along z, y, x."""

    before: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Of the lattice point before each voxel, per axis."""

    share: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Of the way to the next lattice point, per axis."""

    step_um: float
    """Between lattice points."""


@dataclass(frozen=True)
class Warp:
    """Point `x` is looked up at `x + u(x)`, where `u` is lattice noise: the same wherever it is asked.

    A displacement along one axis is at most `amplitude_um` and has a standard deviation of a quarter of it. Below
    0.4 lengths of amplitude no two points are looked up at one place, so nothing is torn or folded.
    """

    key: int
    """Of the noise, below 2 ** 64."""

    amplitude_um: float
    length_um: float
    """Distance over which the displacement changes."""

    def __post_init__(self) -> None:
        if not 0 <= self.amplitude_um <= 0.4 * self.length_um:
            raise ValueError(
                f"a warp has an amplitude of 0 to 0.4 times its length; saw {self.amplitude_um} and {self.length_um} um"
            )

    def in_canvas(self, canvas: Canvas) -> Displacements:
        """What a kernel needs to look up the voxels of a canvas; a voxel gets the same in any canvas."""
        step = self.length_um / _POINTS_PER_LENGTH
        is_flat = canvas.grid.ndim == 2
        first, count, index, share = [], [], [], []
        for axis in range(3):
            n = canvas.owner.shape[axis]
            place = (np.arange(n) + canvas.start[axis] + 0.5) * canvas.voxel_um[axis] / step
            if is_flat and axis == 0:
                place = np.zeros(n)
            before = np.floor(place).astype(np.int64)
            first.append(int(before[0]) if n else 0)
            count.append(int(before[-1]) - first[-1] + 2 if n else 2)
            index.append(before - first[-1])
            share.append(place - before)
        at_point = np.zeros((*count, 3))
        if self.amplitude_um > 0:
            steps = np.array([0.0 if is_flat else 1.0, 1.0, 1.0]) / _POINTS_PER_LENGTH
            _fill(at_point, np.uint64(self.key), np.array(first), steps, self.amplitude_um, is_flat)
        return Displacements(at_point, (index[0], index[1], index[2]), (share[0], share[1], share[2]), step)

    def unwarped(self, points_um: Float[np.ndarray, "n 3"], *, is_flat: bool) -> Float[np.ndarray, "n 3"]:
        """Points that are looked up at the given ones.

        Parameters
        ----------
        is_flat
            Of a plane: nothing moves along the first axis.
        """
        found = np.array(points_um, np.float64)
        if self.amplitude_um > 0:
            _unwarp(found, np.uint64(self.key), self.amplitude_um, self.length_um, is_flat)
        return found


@njit(cache=True, nogil=True)
def _fill(out, key, first, step, amplitude, is_flat):
    for i in range(out.shape[0]):
        z = (first[0] + i) * step[0]
        for j in range(out.shape[1]):
            y = (first[1] + j) * step[1]
            for k in range(out.shape[2]):
                x = (first[2] + k) * step[2]
                for axis in range(1 if is_flat else 0, 3):
                    out[i, j, k, axis] = amplitude * noise(key + np.uint64(axis), z, y, x)


@njit(cache=True, nogil=True)
def _unwarp(points, key, amplitude, length, is_flat):
    for i in range(points.shape[0]):
        points[i, 0], points[i, 1], points[i, 2] = unwarped_place(
            key, amplitude, length, is_flat, points[i, 0], points[i, 1], points[i, 2]
        )


@njit(cache=True, nogil=True)
def warped_place(key, amplitude, length, is_flat, z, y, x):
    """Where a place is looked up."""
    if amplitude == 0.0:
        return z, y, x
    u, v, w = 0.0 if is_flat else z / length, y / length, x / length
    return (
        z if is_flat else z + amplitude * noise(key, u, v, w),
        y + amplitude * noise(key + np.uint64(1), u, v, w),
        x + amplitude * noise(key + np.uint64(2), u, v, w),
    )


@njit(cache=True, nogil=True)
def unwarped_place(key, amplitude, length, is_flat, z, y, x):
    """The place that is looked up at a given one."""
    z0, y0, x0 = z, y, x
    # The displacement changes slowly, so this closes in on the place a good deal each time.
    for _ in range(100):
        wz, wy, wx = warped_place(key, amplitude, length, is_flat, z0, y0, x0)
        z0, y0, x0 = z0 + z - wz, y0 + y - wy, x0 + x - wx
        if abs(z - wz) + abs(y - wy) + abs(x - wx) < 1e-9 * length:
            break
    return z0, y0, x0


@njit(cache=True, nogil=True)
def displacements_in_row(at_point, iz, iy, begin, end, fz, fy, at_row):
    """Displacements at the lattice points `begin` to `end` of a row of voxels, by where the row lies between theirs.

    Between two points of the row the displacement is linear.
    """
    for x in range(begin, end):
        for axis in range(3):
            a = at_point[iz, iy, x, axis] * (1.0 - fy) + at_point[iz, iy + 1, x, axis] * fy
            b = at_point[iz + 1, iy, x, axis] * (1.0 - fy) + at_point[iz + 1, iy + 1, x, axis] * fy
            at_row[x, axis] = a * (1.0 - fz) + b * fz


@njit(cache=True, nogil=True)
def stretch(at_point, iz, iy, ix, fz, fy, fx, step, nz, ny, nx):
    """How much faster than in a straight space one moves along a direction there: |J' n|, n a unit vector."""
    gz, gy, gx = nz, ny, nx
    for corner in range(8):
        a, b, c = corner >> 2, (corner >> 1) & 1, corner & 1
        along = (
            nz * at_point[iz + a, iy + b, ix + c, 0]
            + ny * at_point[iz + a, iy + b, ix + c, 1]
            + nx * at_point[iz + a, iy + b, ix + c, 2]
        ) / step
        wz = fz if a else 1.0 - fz
        wy = fy if b else 1.0 - fy
        wx = fx if c else 1.0 - fx
        gz += (1.0 if a else -1.0) * wy * wx * along
        gy += wz * (1.0 if b else -1.0) * wx * along
        gx += wz * wy * (1.0 if c else -1.0) * along
    return math.sqrt(gz * gz + gy * gy + gx * gx)
