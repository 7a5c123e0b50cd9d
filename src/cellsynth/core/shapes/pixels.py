"""Objects that are given as a label image, and the scene made of one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Integer
from scipy.ndimage import find_objects

from ..canvas import Canvas
from ..errors import InputError
from ..grid import Grid
from ..rng import Key
from ..scene import AbstractShape, Objects, Scene
from ..types import Labels, Points


@dataclass(frozen=True, eq=False)
class Pixels(AbstractShape):
    """Objects that are given as a label image: what a mask GAN or an annotated file gives."""

    labels: Labels

    needs_objects: ClassVar[bool] = False

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Put the labels of the box where they are, over all else."""
        labels = self.labels[canvas.box.slices]
        is_inside = labels > 0
        canvas.labels[is_inside] = labels[is_inside]
        canvas.distance[is_inside] = 0

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the voxels with the label of each object; 0 where there is none."""
        half = np.zeros_like(objects.centre_um)
        for i, found in enumerate(find_objects(self.labels.astype(np.int32), len(objects))):
            if found is not None:
                edges = (
                    np.array([[(s.start + 0.5, s.stop - 0.5) for s in found]])
                    * np.array(grid.voxel_um)[:, None]
                )
                half[i] = np.abs(edges[0] - objects.centre_um[i][:, None]).max(axis=1)
        return half

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Counted in voxels."""
        counts = np.bincount(self.labels.ravel().astype(np.int64), minlength=len(objects) + 1)
        unit = np.pi if grid.ndim == 2 else 4 / 3 * np.pi
        return counts[1:] * np.prod(grid.voxel_um) / (unit * objects.semi_axes_um.prod(axis=1))


def scene_from_labels(labels: Labels, grid: Grid, key: Key) -> Scene:
    """Wrap a label image as a scene: frames from the second moments of each object, intensity 1.

    Raises
    ------
    InputError
        If the shape is not the grid's, or the ids are not 1..N without gaps.
    """
    if labels.shape != grid.shape_px:
        raise InputError(f"labels are {labels.shape} and the grid is {grid.shape_px}; give them one shape")
    counts = _voxels_per_object(labels)
    n = len(counts)
    flat = labels.ravel()
    voxel_um = np.asarray(grid.voxel_um)
    inside = np.flatnonzero(flat)
    points = (np.stack(np.unravel_index(inside, labels.shape), axis=1) + 0.5) * voxel_um
    ids = flat[inside].astype(np.int64) - 1
    centre = np.stack([np.bincount(ids, p, n) for p in points.T], axis=1) / counts[:, None]
    offset = points - centre[ids]
    covariance = np.empty((n, grid.ndim, grid.ndim))
    for i in range(grid.ndim):
        for j in range(grid.ndim):
            covariance[:, i, j] = np.bincount(ids, offset[:, i] * offset[:, j], n) / counts
    covariance += np.eye(grid.ndim) * voxel_um**2 / 12  # a voxel is a cube, not a point
    variance, rotation = np.linalg.eigh(covariance)
    # A solid ellipse has variance a^2 / 4 along a semi-axis a, a solid ellipsoid a^2 / 5.
    semi_axes = np.sqrt(variance * (grid.ndim + 2))
    keys = np.array([key.child("object", i).uint64() for i in range(n)], np.uint64)
    objects = Objects(centre, semi_axes, rotation, np.ones(n), np.ones(n, np.int32), keys)
    return Scene(grid, objects, Pixels(labels))


def _voxels_per_object(labels: Labels) -> np.ndarray:
    lowest, highest = int(labels.min(initial=0)), int(labels.max(initial=0))
    # With more ids than voxels there are gaps; a count per id might not even fit into memory.
    if lowest >= 0 and highest <= labels.size:
        counts = np.bincount(labels.ravel().astype(np.int64, copy=False), minlength=highest + 1)[1:]
        if counts.all():
            return counts
    raise InputError(
        f"labels must be 1..N without gaps, with 0 for background; saw {lowest} to {highest}; relabel them first"
    )
