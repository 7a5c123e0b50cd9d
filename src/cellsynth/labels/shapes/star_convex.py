"""Bodies with a smooth wavering outline."""

from typing import Annotated, Literal

from annotated_types import Interval

from ...core import shapes
from ...core.grid import Grid
from ...core.scene import AbstractShape
from ...core.shapes.star_convex import MAX_DEGREE
from .base import AbstractShapeKind, registry


@registry.register
class StarConvex(AbstractShapeKind):
    """Nuclei and round cells: ellipsoids whose radius is modulated by smooth harmonics."""

    kind: Literal["star_convex"] = "star_convex"

    amplitude: Annotated[float, Interval(ge=0, le=0.3)] = 0.1
    """Standard deviation of the radius, relative to its mean."""

    degrees: Annotated[int, Interval(ge=2, le=MAX_DEGREE)] = 6
    """Highest harmonic: about how many bumps around the outline."""

    decay: Annotated[float, Interval(ge=0, le=5)] = 1.5
    """The amplitude of degree l falls as `l ** -decay`: smoother where it is large."""

    def shape(self, grid: Grid) -> AbstractShape:
        return shapes.StarConvex(self.amplitude, self.degrees, self.decay)
