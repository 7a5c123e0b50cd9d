"""Random sequential placing."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import PositiveFloat, PositiveInt

from ...core.field import LatticeField
from ...core.rng import Key
from .._placement import N_TRIES, place
from .base import AbstractArrangement, Arranged, Bodies, registry


@registry.register
class Random(AbstractArrangement):
    """Cells one after another at random places that are free: loose, or some in contact, evenly or in patches.

    In a crowded region those that find no place in some tries are given up; for more than a quarter of the volume take
    `packed`. Distances are those of the ellipsoids around the cells, in um whatever the voxels are; only cells that are
    put in contact (`touching`) come nearer than `min_gap_um`.
    """

    kind: Literal["random"] = "random"

    touching: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of cells that are put in contact with another one."""

    overlap: Annotated[float, Interval(ge=0, lt=0.6)] = 0.0
    """Share of the contact distance by which cells in contact may interpenetrate."""

    patchiness: Annotated[float, Interval(ge=0, le=4)] = 0.0
    """How unevenly cells are spread: 0 even, 2 patches beside empty places."""

    patch_um: PositiveFloat = 60.0
    """Size of the patches."""

    attempts: PositiveInt = N_TRIES
    """Places that a cell may try."""

    is_stopping: bool = False
    """Whether the first cell that finds no place ends it: the published rule, which a failure stops instead of a
    number of cells."""

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
            n_tries=self.attempts,
            is_stopping=self.is_stopping,
            is_exact=True,
        )
        full = np.column_stack([np.full(len(centre), low_um[0]), centre]) if bodies.is_flat else centre
        why = (
            f"the others found none in {self.attempts} tries each: placing one after another stalls at about a third "
            "of a volume and half of a plane, sooner with a gap between cells. Ask for fewer or smaller cells, a "
            "smaller min_gap_um, or take arrangement: packed"
        )
        return Arranged(full[kept], kept, "" if len(kept) == len(bodies) or self.is_stopping else why)
