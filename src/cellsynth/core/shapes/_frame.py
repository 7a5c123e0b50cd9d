"""The frame of objects in three dimensions, which is where every shape is drawn, and the rules of drawing there."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..scene import Objects
from ..types import Points


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


def half_extents_of_ellipsoids(
    semi_axes_um: Points, rotation: Float[np.ndarray, "n d d"], reach: float | np.ndarray = 1.0
) -> Points:
    """Half the bounding box of ellipsoids that are `reach` times as large, along each axis of the grid."""
    return np.sqrt(((rotation * semi_axes_um[:, None, :]) ** 2).sum(axis=2)) * np.reshape(reach, (-1, 1))


def half_extents_of_cuboids(
    half_sides_um: Points, rotation: Float[np.ndarray, "n d d"]
) -> Float[np.ndarray, "n d"]:
    """Half the bounding box of rotated cuboids, along each axis of the grid."""
    return np.abs(rotation * half_sides_um[:, None, :]).sum(axis=2)


class Window(NamedTuple):
    """The part of a canvas that each object may own, as voxel indices within the canvas."""

    low: np.ndarray
    high: np.ndarray


def windows(centre: np.ndarray, half: np.ndarray, start: np.ndarray, voxel: np.ndarray, shape) -> Window:
    """Cut the bounding boxes of objects out of a canvas; all (n, 3) in um, and the canvas in voxels."""
    # Far beyond the canvas is as good as further away; the bound keeps whole numbers whole.
    low = np.clip(np.floor(np.clip((centre - half) / voxel, -1e15, 1e15)).astype(np.int64) - start, 0, shape)
    high = np.clip(np.ceil(np.clip((centre + half) / voxel, -1e15, 1e15)).astype(np.int64) - start, 0, shape)
    return Window(low, high)


Stage = tuple[
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
]


def stage(
    canvas: Canvas,
    ids: np.ndarray,
    centre: np.ndarray,
    axes: np.ndarray,
    rotation: np.ndarray,
    half: np.ndarray,
) -> Stage:
    """What every drawing kernel begins with: the canvas, which objects, their windows of it, and their frames.

    Parameters
    ----------
    half : (n, 3)
        Half the bounding box of each object, in um.
    """
    window = windows(centre, half, canvas.start, canvas.voxel_um, canvas.owner.shape)
    low, high = window.low, window.high
    return (
        canvas.owner,
        canvas.nearness,
        canvas.start,
        canvas.voxel_um,
        ids,
        low,
        high,
        centre,
        axes,
        rotation,
    )


@njit(cache=True, nogil=True, inline="always")
def claim(owner, nearness, z, y, x, distance, label):
    """Give a voxel to an object if its scaled distance is the smallest so far; equal ones go to the lower label."""
    # Compared at the precision it is stored in, or of two equal distances the later might win.
    rounded = np.float32(distance)
    best = nearness[z, y, x]
    if rounded < best or (rounded == best and label < owner[z, y, x]):
        nearness[z, y, x] = rounded
        owner[z, y, x] = label


@njit(cache=True, nogil=True, inline="always")
def local_offset(turn, axes, dz, dy, dx):
    """Offset from the centre of an object in its own frame, in semi-axes."""
    u = (dz * turn[0, 0] + dy * turn[1, 0] + dx * turn[2, 0]) / axes[0]
    v = (dz * turn[0, 1] + dy * turn[1, 1] + dx * turn[2, 1]) / axes[1]
    w = (dz * turn[0, 2] + dy * turn[1, 2] + dx * turn[2, 2]) / axes[2]
    return u, v, w


@njit(cache=True, nogil=True)
def span_in_row(turn, axes, reach, dz, dy, first_um, voxel, low, high):
    """Part of a row of voxels that may lie within `reach` semi-axes of the centre: all of it that does, and a voxel
    or two more.

    Parameters
    ----------
    dz, dy
        Offset of the row from the centre.
    first_um
        Offset along x of voxel 0 of the row.
    low, high
        The voxels to look at.
    """
    u, v, w = local_offset(turn, axes, dz, dy, first_um)
    du, dv, dw = turn[2, 0] / axes[0] * voxel, turn[2, 1] / axes[1] * voxel, turn[2, 2] / axes[2] * voxel
    # |p + t d| < reach, a quadratic in t.
    a, b = du * du + dv * dv + dw * dw, u * du + v * dv + w * dw
    # The slack is far above what rounding loses and far below a voxel.
    c = u * u + v * v + w * w - reach * reach * (1.0 + 1e-6)
    root = b * b - a * c + 1e-9 * b * b
    if root < 0.0:
        return low, low
    root = math.sqrt(root)
    # Held to the row before it becomes a whole number.
    begin = int(max(math.floor((-b - root) / a), float(low)))
    end = int(min(math.ceil((-b + root) / a) + 1.0, float(high)))
    return begin, max(begin, end)
