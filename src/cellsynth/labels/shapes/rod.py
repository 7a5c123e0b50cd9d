"""Rods with round ends."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import model_validator

from ...core import shapes
from ...core.distribution import Distribution
from ...core.grid import Grid
from ...core.scene import AbstractShape, Objects
from ...core.types import Points
from .base import AbstractShapeKind, registry


@registry.register
class Rod(AbstractShapeKind):
    """Bacteria: rods with round ends, straight or bent, some of them about to divide.

    Size is that of the population (`radius_um`, `axis_ratio`: width over length), or `length_um` and `width_um`.
    """

    kind: Literal["rod"] = "rod"

    length_um: Distribution | None = None
    """From end to end; with `width_um` instead of the radius and the axis ratio of the population."""

    width_um: Distribution | None = None
    """Across; a rod that would be wider than long is round."""

    bend_deg: Annotated[float, Interval(ge=0, le=150)] = 15.0
    """Largest angle by which the midline turns from end to end; each rod turns by a part of it of its own."""

    constriction: Annotated[float, Interval(ge=0, le=0.9)] = 0.4
    """Largest narrowing of the middle of a dividing rod, relative to its radius."""

    dividing: Annotated[float, Interval(ge=0, le=1)] = 0.2
    """Share of rods that are about to divide."""

    @model_validator(mode="after")
    def _check_size(self) -> "Rod":
        if (self.length_um is None) != (self.width_um is None):
            raise ValueError("give both length_um and width_um, or none of them")
        return self

    def shape(self, grid: Grid) -> AbstractShape:
        return shapes.Rod(self.bend_deg, self.constriction, self.dividing)

    def framed(
        self, cells: Objects, shape: AbstractShape, grid: Grid, rng: np.random.Generator
    ) -> tuple[Points, np.ndarray]:
        if self.length_um is None or self.width_um is None:
            return super().framed(cells, shape, grid, rng)
        width = self.width_um.sample(len(cells), rng)
        length = np.maximum(self.length_um.sample(len(cells), rng), width)
        return np.column_stack([width / 2] * (grid.ndim - 1) + [length / 2]), cells.rotation
