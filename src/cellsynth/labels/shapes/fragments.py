"""Debris of cells."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import model_validator

from ...core import shapes
from ...core.grid import Grid
from ...core.scene import AbstractShape, Objects
from .base import AbstractShapeKind, registry

Count = Annotated[int, Interval(ge=1, le=40)]


@registry.register
class Fragments(AbstractShapeKind):
    """Apoptotic debris: a few pieces where a cell was; mostly bright, and with `is_labelled: false`.

    The radius of the population is that of the cell which fell apart, as are the room that the pieces take and the
    volume that a fraction of the region counts.
    """

    kind: Literal["fragments"] = "fragments"

    n_fragments: tuple[Count, Count] = (3, 8)
    """Fewest and most pieces of a cell."""

    filled: Annotated[float, Interval(gt=0, le=0.3)] = 0.05
    """Part of the volume of the cell that they fill; 0.05 was published."""

    @model_validator(mode="after")
    def _check_range(self) -> "Fragments":
        if self.n_fragments[0] > self.n_fragments[1]:
            raise ValueError(f"n_fragments is a range [fewest, most]; saw {list(self.n_fragments)}")
        return self

    def shape(self, grid: Grid) -> AbstractShape:
        return shapes.Fragments(self.n_fragments, self.filled)

    def factor(self, cells: Objects, shape: AbstractShape, grid: Grid) -> np.ndarray:
        return np.ones(len(cells))  # of the cell that fell apart
