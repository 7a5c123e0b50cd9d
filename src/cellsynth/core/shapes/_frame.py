"""The frame of objects in three dimensions, which is where every shape is drawn."""

import numpy as np

from ..grid import Grid
from ..scene import Objects


def to_3d(objects: Objects, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, semi-axes and rotations in 3D; a 2D object lies in the one plane at z = 0.5."""
    if grid.ndim == 3:
        return objects.centre_um, objects.semi_axes_um, np.ascontiguousarray(objects.rotation)
    n = len(objects)
    rotation = np.zeros((n, 3, 3))
    rotation[:, 0, 0] = 1.0
    rotation[:, 1:, 1:] = objects.rotation
    return (
        np.column_stack([np.full(n, 0.5), objects.centre_um]),
        np.column_stack([np.ones(n), objects.semi_axes_um]),
        rotation,
    )
