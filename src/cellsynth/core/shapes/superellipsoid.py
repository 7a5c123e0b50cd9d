"""Superellipses and superellipsoids: from diamonds over ellipses to boxes with round corners."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, local_offset, stage, to_3d


@dataclass(frozen=True)
class Superellipsoid(AbstractShape):
    """All points with `|u|^p + |v|^p + |w|^p < 1`, in semi-axes of the object; the scaled distance is the p-norm.

    References
    ----------
    .. [1] A. H. Barr, "Superquadrics and angle-preserving transformations", IEEE Computer Graphics and Applications
       1 (1981) 11-23. Here with one exponent for all axes.
    """

    exponent: float = 3.0
    """At least 1: 1 a diamond, 2 an ellipsoid, 4 squarish, 20 a box."""

    def __post_init__(self) -> None:
        if not 1 <= self.exponent <= 100:
            raise ValueError(f"exponent is between 1 and 100; saw {self.exponent}")

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        half = _half_extents(axes, rotation, self.exponent)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, half),
            self.exponent,
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Exact."""
        return _half_extents(objects.semi_axes_um, objects.rotation, self.exponent)

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Exact: `(2 G(1 + 1/p))^d / G(1 + d/p)` over the same with p = 2; G is the gamma function."""
        d = grid.ndim
        unit = math.pi if d == 2 else 4 / 3 * math.pi
        volume = (2 * math.gamma(1 + 1 / self.exponent)) ** d / math.gamma(1 + d / self.exponent)
        return np.full(len(objects), volume / unit)


def _half_extents(
    semi_axes_um: Points, rotation: Float[np.ndarray, "n d d"], exponent: float
) -> Float[np.ndarray, "n d"]:
    """How far a p-ball reaches along a direction is the dual norm of the direction, with 1/p + 1/q = 1."""
    along = np.abs(rotation * semi_axes_um[:, None, :])
    if exponent == 1:
        return along.max(axis=2)
    dual = exponent / (exponent - 1)
    largest = along.max(axis=2, keepdims=True)  # taken out, or a high power overflows
    return (largest * ((along / largest) ** dual).sum(axis=2, keepdims=True) ** (1 / dual))[:, :, 0]


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(owner, nearness, start, voxel, ids, low, high, centre, axes, rotation, exponent):
    for i in range(ids.size):
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                for x in range(low[i, 2], high[i, 2]):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u, v, w = local_offset(rotation[i], axes[i], dz, dy, dx)
                    largest = max(abs(u), abs(v), abs(w))
                    if largest >= 1.0:
                        continue
                    total = abs(u) ** exponent + abs(v) ** exponent + abs(w) ** exponent
                    if total < 1.0:
                        # A high power of a small number is 0 to a computer; the largest part is below the norm.
                        claim(owner, nearness, z, y, x, max(total ** (1.0 / exponent), largest), ids[i])
