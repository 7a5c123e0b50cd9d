"""Ellipses and ellipsoids."""

from typing import Annotated, Literal

from annotated_types import Interval

from ...core import shapes
from ...core.grid import Grid
from ...core.scene import AbstractShape
from .base import AbstractShapeKind, registry


@registry.register
class Ellipsoid(AbstractShapeKind):
    """Ellipses (ellipsoids), smooth or with a rough outline."""

    kind: Literal["ellipsoid"] = "ellipsoid"

    irregularity: Annotated[float, Interval(ge=0, lt=0.6)] = 0.0
    """Largest relative deviation of the outline's radius."""

    def shape(self, grid: Grid) -> AbstractShape:
        return shapes.Ellipsoid(self.irregularity)
