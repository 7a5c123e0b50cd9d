"""Light of spots that may be smaller than a voxel: its integral over every voxel, wherever the spot lies."""

import math

import numpy as np
from numba import njit

from ..core.grid import Box, Grid
from ..core.scene import Objects
from ..core.shapes import to_3d
from ..core.types import Plane

_REACH = 6.0
"""Standard deviations after which a Gaussian ends; two parts in 1e9 of it lie beyond, along each axis."""


def spot_light(objects: Objects, grid: Grid, box: Box, blur_um: float = 0.0) -> Plane:
    """Light of spots in a box of the grid, in the unit of `emission`: 1 is a voxel of a cell of intensity 1.

    A spot emits as much as a solid ball (disc) of its size and intensity, spread as the Gaussian that has the same
    second moments: a standard deviation of r / 2 in 2D and r / sqrt(5) in 3D. Every voxel gets the integral over it, so
    the sum does not depend on where between voxels the spot lies, and a voxel has the same value in whatever box.

    Parameters
    ----------
    objects
        Spots, anywhere; what of their light falls outside of the box is left out. Of semi-axes that are not equal the
        geometric mean counts.
    box
        May reach beyond the grid.
    blur_um
        Standard deviation of a Gaussian that blurs the light on top, along every axis; exact.

    Returns
    -------
    light : box.shape, float32
    """
    flat = 3 - grid.ndim
    radius = np.exp(np.log(objects.semi_axes_um).mean(axis=1))
    unit = math.pi if grid.ndim == 2 else 4 / 3 * math.pi
    total = objects.intensity * unit * radius**grid.ndim / math.prod(grid.voxel_um)
    sigma = np.sqrt(radius**2 / (grid.ndim + 2) + blur_um**2)
    centre, _, _ = to_3d(objects, grid)
    start = np.array((0,) * flat + box.start, np.int64)
    shape = np.array((1,) * flat + box.shape, np.int64)
    voxel = np.array((1.0,) * flat + grid.voxel_um)
    reach = _REACH * sigma[:, None] + voxel
    near = ((centre + reach > start * voxel) & (centre - reach < (start + shape) * voxel)).all(axis=1)
    light = np.zeros(tuple(shape), np.float32)
    _add(light, start, voxel, flat == 1, centre[near], sigma[near], total[near])
    return light.reshape(box.shape)


@njit(cache=True, nogil=True)
def _weigh(weights, centre, sigma, voxel, start, n):
    """Share of a Gaussian in each voxel of a row that it reaches; gives the first and the last but one of them."""
    low = max(math.floor((centre - _REACH * sigma) / voxel), start)
    high = min(math.ceil((centre + _REACH * sigma) / voxel), start + n)
    scale = 1.0 / (sigma * math.sqrt(2.0))
    for i in range(low, high):
        left, right = (i * voxel - centre) * scale, ((i + 1) * voxel - centre) * scale
        weights[i - start] = 0.5 * (math.erf(right) - math.erf(left))
    return low - start, high - start


@njit(cache=True, nogil=True)
def _add(light, start, voxel, is_flat, centre, sigma, total):
    n_z, n_y, n_x = light.shape
    along_z, along_y, along_x = np.ones(n_z), np.empty(n_y), np.empty(n_x)
    first_z, end_z = 0, n_z
    for i in range(sigma.size):
        if not is_flat:
            first_z, end_z = _weigh(along_z, centre[i, 0], sigma[i], voxel[0], start[0], n_z)
        first_y, end_y = _weigh(along_y, centre[i, 1], sigma[i], voxel[1], start[1], n_y)
        first_x, end_x = _weigh(along_x, centre[i, 2], sigma[i], voxel[2], start[2], n_x)
        for z in range(first_z, end_z):
            for y in range(first_y, end_y):
                row = total[i] * along_z[z] * along_y[y]
                for x in range(first_x, end_x):
                    light[z, y, x] += np.float32(row * along_x[x])
