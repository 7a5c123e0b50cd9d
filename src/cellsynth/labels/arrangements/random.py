"""Random sequential placing."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import NonNegativeFloat, PositiveFloat

from ...core.field import LatticeField
from ...core.rng import Key
from .._placement import place
from .base import AbstractArrangement, Arranged, Bodies, registry


@registry.register
class Random(AbstractArrangement):
    """Cells one after another at random places that are free: loose, or some in contact, evenly or in patches.

    In a crowded region those that find no place in 200 tries are given up; for more than a quarter of the volume take
    `packed`.
    """

    kind: Literal["random"] = "random"

    touching: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of cells that are put in contact with another one."""

    overlap: Annotated[float, Interval(ge=0, lt=0.6)] = 0.0
    """Share of the contact distance by which cells in contact may interpenetrate."""

    min_gap_um: NonNegativeFloat = 0.0
    """Free space around cells that are not in contact."""

    patchiness: Annotated[float, Interval(ge=0, le=4)] = 0.0
    """How unevenly cells are spread: 0 even, 2 patches beside empty places."""

    patch_um: PositiveFloat = 60.0
    """Size of the patches."""

    def arrange(
        self, bodies: Bodies, low_um: np.ndarray, high_um: np.ndarray, walls: LatticeField | None, key: Key
    ) -> Arranged:
        first = 1 if bodies.is_flat else 0
        centre, kept = place(
            bodies.keys,
            bodies.semi_axes_um[:, first:],
            bodies.rotation[:, first:, first:],
            low_um[first:],
            high_um[first:],
            self.touching,
            self.overlap,
            self.min_gap_um,
            self.patchiness,
            self.patch_um,
            key.child("patches").uint64(),
            walls=walls,
        )
        full = np.column_stack([np.full(len(centre), low_um[0]), centre]) if bodies.is_flat else centre
        return Arranged(full[kept], kept)
