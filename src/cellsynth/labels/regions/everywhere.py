"""The whole grid."""

from typing import Literal

import numpy as np

from ...core.field import LatticeField
from ...core.grid import Grid
from ...core.rng import Key
from .base import AbstractRegion, registry


@registry.register
class Everywhere(AbstractRegion):
    """The whole grid and beyond: its border cuts cells as the field of a camera does."""

    kind: Literal["everywhere"] = "everywhere"

    @property
    def is_everywhere(self) -> bool:
        return True

    def depth_um(
        self, points_um: np.ndarray, grid: Grid, key: Key, within: LatticeField | None = None
    ) -> np.ndarray:
        return np.full(len(points_um), float(max(grid.extent_um)))
