"""Balls at random places."""

import logging
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from ...core.distribution import Distribution
from ...core.field import LatticeField, depth_at
from ...core.grid import Grid
from ...core.rng import Key
from .base import AbstractRegion, registry

_log = logging.getLogger(__name__)

_N_TRIES = 3000
"""Places that a ball may try for one where it is as a whole inside."""


@registry.register
class Balls(AbstractRegion):
    """Balls (discs) at places that differ from sample to sample: sub-cultures in a spheroid, or several spheroids.

    They do not overlap and lie as a whole in the region around them, or in the grid. One that is too large for that
    lies as deep as it can and is cut; one that finds no place free of the others is left out, which is said.
    """

    kind: Literal["balls"] = "balls"

    n_balls: PositiveInt = 3
    """How many."""

    radius_um: Distribution = Distribution(low=15.0, high=25.0)
    """Of each."""

    @property
    def is_random(self) -> bool:
        return True

    def depth_um(
        self, points_um: np.ndarray, grid: Grid, key: Key, within: LatticeField | None = None
    ) -> np.ndarray:
        centre, radius = self._placed(grid, key, within)
        depth = np.full(len(points_um), -np.inf)
        for middle, r in zip(centre, radius, strict=True):
            depth = np.maximum(depth, r - np.linalg.norm(points_um - middle, axis=1))
        return depth

    def _placed(self, grid: Grid, key: Key, within: LatticeField | None) -> tuple[np.ndarray, np.ndarray]:
        """Centres (m, 3) and radii (m,), the largest first as they need most room."""
        rng = key.child("balls").generator()
        centre: list[np.ndarray] = []
        radius: list[float] = []
        for r in -np.sort(-self.radius_um.sample(self.n_balls, rng)):
            tried = np.full((_N_TRIES, 3), 0.5)
            tried[:, 3 - grid.ndim :] = rng.random((_N_TRIES, grid.ndim)) * grid.extent_um
            depth = _depth_of(tried, grid, within)
            for other, s in zip(centre, radius, strict=True):
                depth[np.linalg.norm(tried - other, axis=1) < r + s] = -np.inf
            best = int(np.argmax(np.minimum(depth, r)))  # the first that is deep enough, or the deepest
            if depth[best] > 0:
                centre.append(tried[best])
                radius.append(float(r))
        if len(centre) < self.n_balls:
            _log.warning(
                "region balls: %d of %d balls found a place free of the others; ask for fewer or smaller ones",
                len(centre),
                self.n_balls,
            )
        return np.array(centre).reshape(-1, 3), np.array(radius)


def _depth_of(points: np.ndarray, grid: Grid, within: LatticeField | None) -> np.ndarray:
    """Depth of points below the faces of the grid, and in the region around."""
    inside = points[:, 3 - grid.ndim :]
    depth = np.minimum(inside, grid.extent_um - inside).min(axis=1)
    if within is not None:
        field = within.values, within.origin_um, within.step_um
        depth = np.minimum(depth, [depth_at(*field, *point)[0] for point in points])
    return depth
