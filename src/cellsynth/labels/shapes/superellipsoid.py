"""Bodies between diamonds and boxes."""

from typing import Annotated, Literal

from annotated_types import Interval

from ...core import shapes
from ...core.grid import Grid
from ...core.scene import AbstractShape
from .base import AbstractShapeKind, registry


@registry.register
class Superellipsoid(AbstractShapeKind):
    """Squarish cells, as of plants and epithelia."""

    kind: Literal["superellipsoid"] = "superellipsoid"

    exponent: Annotated[float, Interval(ge=1, le=100)] = 3.0
    """1 is a diamond, 2 an ellipsoid, 4 squarish, 20 a box."""

    def shape(self, grid: Grid) -> AbstractShape:
        return shapes.Superellipsoid(self.exponent)
