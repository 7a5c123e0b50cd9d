"""LatticeField: a smooth function of position that is known at the points of a coarse lattice."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numba import njit

from .grid import Box, Grid


@dataclass(frozen=True, eq=False)
class LatticeField:
    """Values at lattice points, linear between them and constant outside; always in 3D, a plane is at z = 0.5."""

    values: Float32[np.ndarray, "z y x"]
    """At least two points along each axis."""

    origin_um: Float[np.ndarray, "3"]
    """Of the first point."""

    step_um: Float[np.ndarray, "3"]

    def in_box(self, grid: Grid, box: Box) -> Float32[np.ndarray, "*zyx"]:
        """Values at the centres of the voxels of a box; the same whatever box a voxel is asked in."""
        lows, shares = [], []
        for axis in range(3):
            along = axis - (3 - grid.ndim)
            if along < 0:
                places = np.array([0.5])
            else:
                places = (np.arange(box.start[along], box.stop[along]) + 0.5) * grid.voxel_um[along]
            index = np.clip(
                (places - self.origin_um[axis]) / self.step_um[axis], 0.0, self.values.shape[axis] - 1
            )
            low = np.minimum(index.astype(np.int64), self.values.shape[axis] - 2)
            lows.append(low)
            shares.append(index - low)
        out = np.empty((len(lows[0]), len(lows[1]), len(lows[2])), np.float32)
        _fill_linear(out, self.values, *lows, *shares)
        return out.reshape(box.shape)

    def at(self, points_um: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Values at points, `zyx` or, of a plane, `yx`."""
        flat = 3 - points_um.shape[1]
        points = np.column_stack([np.full((len(points_um), flat), 0.5), points_um])
        top = np.array(self.values.shape) - 1
        index = np.clip((points - self.origin_um) / self.step_um, 0, top)
        low = np.minimum(index.astype(np.int64), top - 1)
        share = index - low
        total = np.zeros(len(points))
        for corner in np.ndindex(2, 2, 2):
            weight = np.where(corner, share, 1 - share).prod(axis=1)
            total += weight * self.values[tuple((low + corner).T)]
        return total


@njit(cache=True, nogil=True)
def _fill_linear(out, values, low_z, low_y, low_x, share_z, share_y, share_x):
    line = np.empty(values.shape[2])
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            a, b = low_z[z], low_y[y]
            tz, ty = share_z[z], share_y[y]
            for x in range(line.size):
                near = values[a, b, x] * (1.0 - ty) + values[a, b + 1, x] * ty
                far = values[a + 1, b, x] * (1.0 - ty) + values[a + 1, b + 1, x] * ty
                line[x] = near * (1.0 - tz) + far * tz
            for x in range(out.shape[2]):
                c, tx = low_x[x], share_x[x]
                out[z, y, x] = np.float32(line[c] * (1.0 - tx) + line[c + 1] * tx)


@njit(cache=True)
def depth_at(field, origin, step, z, y, x):
    """Value at a point and the direction in which it rises (a unit vector, or zero); for kernels."""
    index, share = np.empty(3, np.int64), np.empty(3)
    point = (z, y, x)
    for k in range(3):
        u = (point[k] - origin[k]) / step[k]
        u = min(max(u, 0.0), field.shape[k] - 1.000001)
        index[k] = int(u)
        share[k] = u - index[k]
    total, gz, gy, gx = 0.0, 0.0, 0.0, 0.0
    for a in range(2):
        wz = share[0] if a else 1.0 - share[0]
        for b in range(2):
            wy = share[1] if b else 1.0 - share[1]
            for c in range(2):
                wx = share[2] if c else 1.0 - share[2]
                value = np.float64(field[index[0] + a, index[1] + b, index[2] + c])
                total += wz * wy * wx * value
                gz += (1.0 if a else -1.0) * wy * wx * value
                gy += wz * (1.0 if b else -1.0) * wx * value
                gx += wz * wy * (1.0 if c else -1.0) * value
    gz, gy, gx = gz / step[0], gy / step[1], gx / step[2]
    length = math.sqrt(gz * gz + gy * gy + gx * gx)
    if length > 0.0:
        gz, gy, gx = gz / length, gy / length, gx / length
    return total, gz, gy, gx
