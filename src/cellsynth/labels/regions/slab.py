"""A layer across the axis of depth."""

from typing import Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat

from ...core.field import LatticeField
from ...core.grid import Grid
from ...core.rng import Key
from .base import AbstractRegion, registry


@registry.register
class Slab(AbstractRegion):
    """A layer of tissue, or the layer above a glass that a monolayer lies in: between two depths, endless sideways."""

    kind: Literal["slab"] = "slab"

    top_um: NonNegativeFloat = 0.0
    """Depth at which it begins."""

    thickness_um: PositiveFloat = 10.0
    """From its top to its bottom."""

    def depth_um(
        self, points_um: np.ndarray, grid: Grid, key: Key, within: LatticeField | None = None
    ) -> np.ndarray:
        if grid.ndim == 2:
            return np.full(len(points_um), float(max(grid.extent_um)))
        z = points_um[:, 0] - self.top_um
        return np.minimum(z, self.thickness_um - z)
