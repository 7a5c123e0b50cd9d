"""A ball or an ellipsoid, hollow or with lumens."""

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval, MinLen
from numba import njit
from pydantic import NonNegativeInt, PositiveFloat

from ...core.field import LatticeField
from ...core.grid import Grid
from ...core.rng import Key
from .base import AbstractRegion, in_3d, middle_of, registry

Lengths = Annotated[tuple[PositiveFloat, ...], MinLen(1)]


@registry.register
class Ellipsoid(AbstractRegion):
    """A spheroid: a ball, an ellipsoid, a shell around a necrotic core, or one with lumens.

    The published masks are full ellipsoids, and shells with a core of two thirds of the radii.
    """

    kind: Literal["ellipsoid"] = "ellipsoid"

    semi_axes_um: Lengths = (60.0,)
    """One radius of a ball, or one semi-axis per axis of the grid."""

    centre_um: tuple[float, ...] | None = None
    """By default the middle of the grid."""

    core: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    """Part of the semi-axes that is an empty core; 0 is none."""

    n_lumens: NonNegativeInt = 0
    """Round cavities inside, at other places in every sample."""

    lumen_radius_um: PositiveFloat = 8.0
    """Of each."""

    @property
    def is_random(self) -> bool:
        return self.n_lumens > 0

    def depth_um(
        self, points_um: np.ndarray, grid: Grid, key: Key, within: LatticeField | None = None
    ) -> np.ndarray:
        axes = in_3d(self.semi_axes_um, grid, "semi_axes_um")
        centre = middle_of(grid)
        if self.centre_um is not None:
            given = in_3d(self.centre_um, grid, "centre_um")
            centre[3 - grid.ndim :] = given[3 - grid.ndim :]
        offset = points_um - centre
        depth = -_beyond(offset, axes)
        if self.core > 0:
            depth = np.minimum(depth, _beyond(offset, self.core * axes))
        for place in self._lumens(axes, grid, key):
            depth = np.minimum(depth, np.linalg.norm(offset - place, axis=1) - self.lumen_radius_um)
        return depth

    def _lumens(self, axes: np.ndarray, grid: Grid, key: Key) -> np.ndarray:
        """Centres of the lumens from that of the region, inside of it with a margin of one radius."""
        room = np.where(axes < 1e11, np.maximum(axes - 2 * self.lumen_radius_um, 0), 0)
        first, rng = 3 - grid.ndim, key.child("lumens").generator()
        # Uniform in the unit ball: a random direction, and a radius whose square or cube is uniform.
        unit = np.zeros((self.n_lumens, 3))
        unit[:, first:] = rng.standard_normal((self.n_lumens, grid.ndim))
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        return unit * rng.random((self.n_lumens, 1)) ** (1 / grid.ndim) * room


_DEEP = 0.8
"""Part of the way to the surface up to which the first order is not good enough."""

_STEPS = 12
"""Of the search for the nearest point at most; mostly four are enough."""


def _beyond(offset: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Distance outside of an ellipsoid, negative inside.

    Outside and near the surface to first order, which is exact for a ball; deep inside exactly [1]_.

    References
    ----------
    .. [1] D. Eberly, "Distance from a point to an ellipse, an ellipsoid, or a hyperellipsoid", Geometric Tools (2013),
       section 3: the root of a function of one variable, by Newton's method.
    """
    out = np.empty(len(offset))
    _fill_beyond(out, offset, axes)
    return out


@njit(cache=True, nogil=True)
def _fill_beyond(out, offset, axes):
    smallest, inverse = axes.min(), 1.0 / axes
    for i in range(out.size):
        length = slope = 0.0
        for k in range(3):
            scaled = offset[i, k] * inverse[k]
            length += scaled * scaled
            slope += (scaled * inverse[k]) ** 2
        length, slope = math.sqrt(length), math.sqrt(slope)
        if length < _DEEP:
            out[i] = -_depth(offset[i], axes, smallest)
        else:
            out[i] = (length - 1.0) * length / slope


@njit(cache=True, nogil=True)
def _depth(point, axes, smallest):
    """Distance of a point deep inside to the nearest one of the surface."""
    least = 0
    for k in range(3):
        if axes[k] == smallest:
            least = k
    # The function falls and is convex, so that steps of Newton's from the left never pass its root.
    t = -smallest * smallest
    for k in range(3):
        t = max(t, axes[k] * (abs(point[k]) - axes[k]))
    for _ in range(_STEPS):
        value, slope = -1.0, 0.0
        for k in range(3):
            if abs(point[k]) > 1e-9 * smallest:
                below = t + axes[k] * axes[k]
                part = (axes[k] * point[k] / below) ** 2
                value += part
                slope -= 2.0 * part / below
        if value <= 1e-4:
            break
        t -= value / slope
    square, left = 0.0, 1.0
    for k in range(3):
        if k != least:
            is_aside = abs(point[k]) > 1e-9 * smallest
            x = axes[k] * axes[k] * point[k] / (t + axes[k] * axes[k]) if is_aside else 0.0
            square += (x - point[k]) ** 2
            left -= (x / axes[k]) ** 2
    # The nearest point is on the surface, which says where it is along the shortest axis, on the side of the point.
    square += (smallest * math.sqrt(max(left, 0.0)) - abs(point[least])) ** 2
    return math.sqrt(square)
