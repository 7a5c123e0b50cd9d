"""Rods with round ends: bacteria, straight or bent, some of them about to divide."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..lattice import uniform
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, stage, to_3d

_MIN_CURVATURE_RADIUS = 1.5
"""In radii of the rod: a rod bends no tighter, or its inner side would fold."""


@dataclass(frozen=True)
class Rod(AbstractShape):
    """A cylinder with a cap at each end, along the longest axis of the frame.

    The longest semi-axis is half the length, caps included; the others are the radius. The midline may be an arc of
    a circle, in the plane of the last two axes, and the middle may be constricted. The
    scaled distance is the distance to the midline over the radius: 0 all along it.

    References
    ----------
    .. [1] O. Hardo et al., "Synthetic Micrographs of Bacteria (SyMBac) allows accurate segmentation of bacterial
       cells using deep neural networks", BMC Biology 20 (2022) 263: bent spherocylinders as bacteria.
    """

    bend_deg: float = 0.0
    """Largest angle by which the midline turns from end to end, 0 to 150; each rod turns by a part of it of its own."""

    constriction: float = 0.0
    """Largest narrowing of the middle, relative to the radius, 0 to 0.9."""

    dividing: float = 0.3
    """Share of rods that are constricted, each by a part of `constriction` of its own."""

    def __post_init__(self) -> None:
        if not 0 <= self.bend_deg <= 150:
            raise ValueError(f"bend_deg is between 0 and 150; saw {self.bend_deg}")
        if not 0 <= self.constriction <= 0.9:
            raise ValueError(f"constriction is between 0 and 0.9; saw {self.constriction}")
        if not 0 <= self.dividing <= 1:
            raise ValueError(f"dividing is a share between 0 and 1; saw {self.dividing}")

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        rods = self._rods(axes, objects.key, canvas.grid.ndim)
        half = _half_extents(axes, rotation, rods)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, half),
            rods.radius,
            rods.half_midline,
            rods.half_angle,
            rods.depth,
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the midline, widened by a cap."""
        _, axes, rotation = to_3d(objects, grid)
        half = _half_extents(axes, rotation, self._rods(axes, objects.key, grid.ndim))
        return half[:, 3 - grid.ndim :]

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Exact where the midline is straight, and within a few thousandths where it is bent and constricted."""
        _, axes, _ = to_3d(objects, grid)
        rods = self._rods(axes, objects.key, grid.ndim)
        long, b, middle = axes[:, 2], rods.radius, rods.half_midline
        width = np.minimum(b, middle)
        # Integrals of 1 - rho and 1 - rho^2 over the constriction, rho = 1 - depth (1 - t^2)^2, t from -1 to 1.
        if grid.ndim == 2:
            lost = 2 * rods.depth * width * 16 / 15
            return (4 * middle + np.pi * b - lost) / (np.pi * long)
        lost = (2 * rods.depth * 16 / 15 - rods.depth**2 * 256 / 315) * width
        return (2 * middle - lost + 4 / 3 * b) / (4 / 3 * long)

    def _rods(self, axes: np.ndarray, keys: np.ndarray, ndim: int) -> "_Rods":
        radius = axes[:, 1] if ndim == 2 else np.sqrt(axes[:, 0] * axes[:, 1])
        radius = np.minimum(radius, axes[:, 2])
        half_midline = axes[:, 2] - radius
        share, is_dividing, depth = _numbers(keys)
        half_angle = np.minimum(
            np.radians(self.bend_deg) / 2 * share, half_midline / (_MIN_CURVATURE_RADIUS * axes[:, 1])
        )
        depth = np.where(is_dividing < self.dividing, self.constriction * (0.3 + 0.7 * depth), 0.0)
        return _Rods(radius, half_midline, half_angle, depth)


class _Rods(NamedTuple):
    """One value for each object."""

    radius: np.ndarray
    """Of the caps along the long axis, in um."""

    half_midline: np.ndarray
    """Length from the middle to where a cap begins, in um."""

    half_angle: np.ndarray
    """By which the midline turns on that way."""

    depth: np.ndarray
    """Of the constriction, relative to the radius."""


@njit(cache=True, nogil=True)
def _numbers(keys):
    """Three independent numbers in [0, 1) of each key."""
    numbers = np.empty((3, keys.size))
    for i in range(keys.size):
        for k in range(3):
            numbers[k, i] = uniform(keys[i], k, 43)
    return numbers


def _half_extents(axes: np.ndarray, rotation: np.ndarray, rods: _Rods) -> np.ndarray:
    """(n, 3): how far the midline goes from the centre, plus an ellipsoid of the radii."""
    # A bend turns the cross-section, so either of its two directions may lie along the grid.
    widest = np.maximum(axes[:, 1], rods.radius)
    caps = np.column_stack([axes[:, 0], widest, widest])
    angle = np.maximum(rods.half_angle, 1e-6)
    curve = rods.half_midline / angle
    mean_cosine = np.sin(angle) / angle
    along = curve * np.sin(angle)
    aside = curve * np.maximum(1 - mean_cosine, mean_cosine - np.cos(angle))
    midline = np.abs(rotation[:, :, 2]) * along[:, None] + np.abs(rotation[:, :, 1]) * aside[:, None]
    return half_extents_of_ellipsoids(caps, rotation) + midline


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    owner,
    nearness,
    start,
    voxel,
    ids,
    low,
    high,
    centre,
    axes,
    rotation,
    radius,
    half_midline,
    half_angle,
    depth,
):
    um = np.ones(3)
    for i in range(ids.size):
        turn, middle, angle = rotation[i], half_midline[i], half_angle[i]
        a, b, c = axes[i, 0], axes[i, 1], radius[i]
        is_bent = angle > 1e-6
        sine, cosine = math.sin(angle), math.cos(angle)
        curve = middle / angle if is_bent else 0.0
        # The centre of the frame is the centre of mass of the midline.
        shift = curve * sine / angle if is_bent else 0.0
        narrow = max(min(c, middle), 1e-12)
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                for x in range(low[i, 2], high[i, 2]):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u, v, w = local_offset(turn, um, dz, dy, dx)
                    # Distance to the midline in its own directions, and where along it.
                    if is_bent:
                        across, along = v + shift, abs(w)
                        if along * cosine <= across * sine:
                            distance = math.sqrt(across * across + along * along)
                            aside, beyond = distance - curve, 0.0
                            where = (
                                curve * along / distance
                            )  # the arc, but for what matters far from the middle
                        else:
                            across, along = across - curve * cosine, along - curve * sine
                            aside = across * cosine + along * sine
                            beyond = along * cosine - across * sine
                            where = middle
                    else:
                        aside, where = v, abs(w)
                        beyond = max(where - middle, 0.0)
                    distance = math.sqrt((u / a) ** 2 + (aside / b) ** 2 + (beyond / c) ** 2)
                    if depth[i] > 0.0 and where < narrow:
                        waist = 1.0 - (where / narrow) ** 2
                        distance /= 1.0 - depth[i] * waist * waist
                    if distance < 1.0:
                        claim(owner, nearness, z, y, x, distance, ids[i])
