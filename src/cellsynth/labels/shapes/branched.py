"""Cells with processes."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import model_validator

from ...core import shapes
from ...core.grid import Grid
from ...core.scene import AbstractShape, Objects
from ...core.types import Points
from .base import AbstractShapeKind, registry

Count = Annotated[int, Interval(ge=0, le=24)]


@registry.register
class Branched(AbstractShapeKind):
    """Astrocytes, microglia, neurons: a soma with processes that taper, bend and branch.

    As for every shape, the radius of the population is that of the whole cell: the ball (circle) of equal volume.
    """

    kind: Literal["branched"] = "branched"

    n_processes: tuple[Count, Count] = (5, 8)
    """Fewest and most processes of a cell."""

    reach: Annotated[float, Interval(ge=1, le=30)] = 5.0
    """Length of the longest processes from the centre, in radii of the soma."""

    width: Annotated[float, Interval(gt=0, le=1)] = 0.3
    """Radius of a process where it leaves the soma, in radii of the soma."""

    bend: Annotated[float, Interval(ge=0, le=1)] = 0.25
    """How much a process turns at each of its pieces, in radians."""

    branching: Annotated[float, Interval(ge=0, le=6)] = 2.0
    """How often a process of full length splits, on average."""

    domain: Annotated[float, Interval(ge=0, le=1)] = 0.4
    """Part of the length of the processes that no other cell may enter: 0 keeps only somas apart, 1 whole cells."""

    @model_validator(mode="after")
    def _check_range(self) -> "Branched":
        if self.n_processes[0] > self.n_processes[1]:
            raise ValueError(f"n_processes is a range [fewest, most]; saw {list(self.n_processes)}")
        return self

    def shape(self, grid: Grid) -> AbstractShape:
        return shapes.Branched(self.n_processes, self.reach, self.width, self.bend, self.branching)

    def body_um(self, cells: Objects, shape: AbstractShape, grid: Grid) -> Points:
        soma = np.prod(cells.semi_axes_um, axis=1, keepdims=True) ** (1 / grid.ndim)
        domain = self.domain if self.n_processes[1] > 0 else 0.0
        return cells.semi_axes_um + domain * (self.reach - 1) * soma
