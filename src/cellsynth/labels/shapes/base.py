"""What every shape of a population is."""

from abc import ABC, abstractmethod

import numpy as np

from ...core.grid import Grid
from ...core.registry import Plugin, Registry
from ...core.scene import AbstractShape, Objects
from ...core.types import Points

registry: "Registry[AbstractShapeKind]" = Registry("cellsynth.labels.shapes", "shape")


class AbstractShapeKind(Plugin, ABC):
    """What the cells of a population look like: which shape draws them, their size, and the room they take."""

    @abstractmethod
    def shape(self, grid: Grid) -> AbstractShape:
        """What draws them. Files are read here.

        Raises
        ------
        RecipeError, InputError
            If there is no such shape on this grid.
        """

    def factor(self, cells: Objects, shape: AbstractShape, grid: Grid) -> np.ndarray:
        """Volume (area) of each cell over that of the ellipsoid (ellipse) with its semi-axes: (n,)."""
        return shape.volume_factor(cells, grid)

    def framed(
        self, cells: Objects, shape: AbstractShape, grid: Grid, rng: np.random.Generator
    ) -> tuple[Points, np.ndarray]:
        """Semi-axes (n, d) and rotations (n, d, d) of cells.

        Parameters
        ----------
        cells
            Without a place yet: ellipsoids of the volumes, axis ratios and directions that the population asks for.

        Returns
        -------
        semi_axes_um, rotation
            With which the shape has the volumes that were asked for, unless it has a size of its own.
        """
        return _of_volume(cells.semi_axes_um, 1 / self.factor(cells, shape, grid)), cells.rotation

    def body_um(self, cells: Objects, shape: AbstractShape, grid: Grid) -> Points:
        """Semi-axes (n, d), in the frame of each cell, of the ellipsoid that no other cell may enter.

        By default the ellipsoid of the volume of the cell: what sticks out of it at one place is missing at another.
        """
        return _of_volume(cells.semi_axes_um, self.factor(cells, shape, grid))


def _of_volume(semi_axes_um: Points, factor: np.ndarray) -> Points:
    """Ellipsoids of so many times their volume."""
    return semi_axes_um * factor[:, None] ** (1 / semi_axes_um.shape[1])
