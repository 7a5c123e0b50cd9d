"""A ball or an ellipsoid, hollow or with lumens."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval, MinLen
from pydantic import NonNegativeInt, PositiveFloat

from ...core.grid import Grid
from ...core.lattice import uniform
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
    """Round cavities inside."""

    lumen_radius_um: PositiveFloat = 8.0
    """Of each."""

    seed: int = 0
    """Of the places of the lumens."""

    def depth_um(self, points_um: np.ndarray, grid: Grid) -> np.ndarray:
        axes = in_3d(self.semi_axes_um, grid, "semi_axes_um")
        centre = middle_of(grid)
        if self.centre_um is not None:
            given = in_3d(self.centre_um, grid, "centre_um")
            centre[3 - grid.ndim :] = given[3 - grid.ndim :]
        offset = points_um - centre
        depth = -_beyond(offset, axes)
        if self.core > 0:
            depth = np.minimum(depth, _beyond(offset, self.core * axes))
        for place in self._lumens(axes, grid):
            depth = np.minimum(depth, np.linalg.norm(offset - place, axis=1) - self.lumen_radius_um)
        return depth

    def _lumens(self, axes: np.ndarray, grid: Grid) -> np.ndarray:
        """Centres of the lumens from that of the region, inside of it with a margin of one radius."""
        room = np.where(axes < 1e11, np.maximum(axes - 2 * self.lumen_radius_um, 0), 0)
        places: list[np.ndarray] = []
        attempt = 0
        while len(places) < self.n_lumens and attempt < 10_000:
            unit = np.array([2 * uniform(np.uint64(self.seed), attempt, 40 + k) - 1 for k in range(3)])
            attempt += 1
            if (unit[3 - grid.ndim :] ** 2).sum() <= 1:
                places.append(unit * room)
        return np.array(places).reshape(-1, 3)


def _beyond(offset: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Distance outside of an ellipsoid, negative inside; to first order, which is exact for a ball."""
    scaled = offset / axes
    length = np.linalg.norm(scaled, axis=1)
    slope = np.linalg.norm(scaled / axes, axis=1)
    is_centre = slope < 1e-12
    return np.where(is_centre, -axes.min(), (length - 1) * length / np.where(is_centre, 1, slope))
