"""Canvas: the labels of a box while objects compete for its voxels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32, Int64

from .grid import Box, Grid
from .types import Labels, Plane


@dataclass(frozen=True, eq=False)
class Canvas:
    """Who owns each voxel of a box, and by which scaled distance.

    A scaled distance is 0 in the middle of an object and 1 on its outline. The object of the smallest one owns the
    voxel; of equal ones (at the precision they are stored in) the lower label does, in whatever order they came.
    Always three axes: a 2D grid is one plane whose voxels are 1 high.
    """

    grid: Grid
    box: Box
    owner: Int32[np.ndarray, "z y x"]
    """Label of the owner, 0 in background."""

    nearness: Float32[np.ndarray, "z y x"]
    """Scaled distance to the owner; 1 in background."""

    @classmethod
    def blank(cls, grid: Grid, box: Box) -> "Canvas":
        """Nothing but background."""
        shape = (1,) * (3 - grid.ndim) + box.shape
        return cls(grid, box, np.zeros(shape, np.int32), np.ones(shape, np.float32))

    @property
    def start(self) -> Int64[np.ndarray, "3"]:
        """Index in the grid of the first voxel."""
        return np.array((0,) * (3 - self.grid.ndim) + self.box.start, np.int64)

    @property
    def voxel_um(self) -> Float[np.ndarray, "3"]:
        """Size of a voxel."""
        return np.array((1.0,) * (3 - self.grid.ndim) + self.grid.voxel_um)

    @property
    def labels(self) -> Labels:
        """Owners, in the axes of the grid."""
        return self.owner.reshape(self.box.shape)

    @property
    def distance(self) -> Plane:
        """Scaled distances, in the axes of the grid."""
        return self.nearness.reshape(self.box.shape)
