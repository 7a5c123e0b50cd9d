"""Shapes of objects: ellipsoids with a smooth rough outline, and shapes that are given as pixels."""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from .errors import InputError
from .grid import Box, Grid
from .lattice import noise
from .rng import Key
from .scene import AbstractShape, Objects, Scene
from .types import Labels, Plane


@dataclass(frozen=True)
class Ellipsoid(AbstractShape):
    """Ellipses or ellipsoids; an outline may waver.

    A voxel belongs to the object whose scaled distance `r` (0 at the centre, 1 on the outline) is smallest,
    so overlapping objects meet in a smooth line; equal distances go to the lower label.
    """

    irregularity: float = 0.0
    """Largest relative deviation of the outline's radius, 0 to below 1."""

    lobes: float = 1.2
    """Lattice frequency of the deviation over the unit sphere: about how many bumps along a radius of it."""

    def draw(self, objects: Objects, grid: Grid, box: Box) -> Labels:
        """Labels of `box`."""
        return draw_ellipsoids(objects, grid, box, self.irregularity, self.lobes)[0]


@dataclass(frozen=True, eq=False)
class Pixels(AbstractShape):
    """Objects that are given as a label image: what a mask GAN or an annotated file gives."""

    labels: Labels

    def draw(self, objects: Objects, grid: Grid, box: Box) -> Labels:
        """Labels of `box`."""
        return self.labels[box.slices].astype(np.int32)


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


def draw_ellipsoids(
    objects: Objects, grid: Grid, box: Box, irregularity: float = 0.0, lobes: float = 1.2
) -> tuple[Labels, Plane]:
    """Draw labels, and the scaled distance of every voxel to the centre of its object (1 in background).

    Returns
    -------
    labels : box.shape, int32
    r : box.shape, float32 in [0, 1]
    """
    centre, axes, rotation = to_3d(objects, grid)
    shape = (1,) * (3 - grid.ndim) + box.shape
    start = np.array((0,) * (3 - grid.ndim) + box.start, np.int64)
    voxel = np.array((1.0,) * (3 - grid.ndim) + grid.voxel_um)
    labels = np.zeros(shape, np.int32)
    r = np.ones(shape, np.float32)
    _fill(labels, r, start, voxel, centre, axes, rotation, objects.key, irregularity, lobes)
    return labels.reshape(box.shape), r.reshape(box.shape)


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


@njit(cache=True)
def _fill(labels, r, start, voxel, centre, axes, rotation, keys, irregularity, lobes):
    shape = labels.shape
    reach = 1.0 + irregularity
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(centre.shape[0]):
        turn = rotation[i]
        is_visible = True
        for k in range(3):
            # Half the height of the ellipsoid's bounding box along axis k.
            half = reach * math.sqrt(
                (turn[k, 0] * axes[i, 0]) ** 2
                + (turn[k, 1] * axes[i, 1]) ** 2
                + (turn[k, 2] * axes[i, 2]) ** 2
            )
            low[k] = max(math.floor((centre[i, k] - half) / voxel[k]) - start[k], 0)
            high[k] = min(math.ceil((centre[i, k] + half) / voxel[k]) - start[k], shape[k])
            is_visible = is_visible and low[k] < high[k]
        if not is_visible:
            continue
        for z in range(low[0], high[0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[1], high[1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                for x in range(low[2], high[2]):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u = (dz * turn[0, 0] + dy * turn[1, 0] + dx * turn[2, 0]) / axes[i, 0]
                    v = (dz * turn[0, 1] + dy * turn[1, 1] + dx * turn[2, 1]) / axes[i, 1]
                    w = (dz * turn[0, 2] + dy * turn[1, 2] + dx * turn[2, 2]) / axes[i, 2]
                    distance = math.sqrt(u * u + v * v + w * w)
                    if distance >= reach:
                        continue
                    if irregularity > 0.0 and distance > 0.0:
                        scale = lobes / distance
                        distance /= 1.0 + irregularity * noise(keys[i], u * scale, v * scale, w * scale)
                    # Compared at the precision it is stored in, or of two equal distances the later might win.
                    rounded = np.float32(distance)
                    if rounded < r[z, y, x]:
                        r[z, y, x] = rounded
                        labels[z, y, x] = i + 1
