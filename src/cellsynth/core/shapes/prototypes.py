"""Real cells in synthetic scenes: each object shows a prototype out of a bank."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..errors import InputError
from ..grid import Box, Grid
from ..lattice import noise, uniform
from ..scene import AbstractShape, Objects
from ..types import Labels, Plane, Points
from ._frame import (
    claim,
    half_extents_of_cuboids,
    half_extents_of_ellipsoids,
    local_offset,
    span_in_row,
    stage,
    to_3d,
)
from .prototype_bank import PrototypeBank, prototype_of


@dataclass(frozen=True, eq=False)
class Prototypes(AbstractShape):
    """Cells cut out of labelled images, turned and stretched into the frame of each object.

    The key of an object names its prototype. A voxel is inside where the nearest voxel of the prototype is, so
    turning neither inflates nor wears off a cell, in contrast to interpolating a mask. The scaled distance is the
    depth below the outline, relative to the greatest.

    The frame does the turning and stretching (`PrototypeBank.frames` gives those of the published augmentation);
    the fields do the rest of it: elastic deformation of the outline, contrast and blur of the texture.

    References
    ----------
    .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures for training and
       benchmarking", PLOS ONE 18 (2023) e0283828. Its masks are resampled with cubic interpolation and grow; its
       elastic field is Gaussian-smoothed noise over the image, here it is lattice noise in the frame of the cell;
       its median filter is left out.
    """

    bank: PrototypeBank

    elastic: float = 0.0
    """Largest shift of a place in the cell, in semi-axes, 0 to 0.5; a quarter of it is the standard deviation."""

    elastic_lobes: float = 2.0
    """Lattice points of the shifts along a semi-axis."""

    contrast: tuple[float, float] = (1.0, 1.0)
    """Range of the factor by which the grey values of a cell are spread about their mean."""

    gamma: tuple[float, float] = (1.0, 1.0)
    """Range of the exponent of its grey values; the mean stays."""

    blur: float = 0.0
    """Largest part of a blurred copy that the texture is mixed with, 0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.elastic <= 0.5 or not 0 <= self.blur <= 1:
            raise ValueError(
                f"elastic is within 0 to 0.5 and blur within 0 to 1; saw {self.elastic}, {self.blur}"
            )

    @classmethod
    def augmented(cls, bank: PrototypeBank) -> "Prototypes":
        """With the strengths of the published augmentation [1]_, whose shifts are of about 2 % of the radius."""
        return cls(bank, elastic=0.08, elastic_lobes=3.0, contrast=(0.65, 1.1), gamma=(0.5, 1.5), blur=1.0)

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        self._check_axes(canvas.grid)
        table = self.bank.tables
        centre, axes, rotation = to_3d(objects, canvas.grid)
        which = prototype_of(objects.key, len(self.bank))
        half, reach = self._reach(axes, rotation, which, canvas.grid.ndim)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, half),
            objects.key,
            which,
            reach,
            canvas.grid.ndim,
            self.elastic,
            self.elastic_lobes,
            table.shape_px,
            table.voxel_um,
            table.first,
            table.distance,
            table.centre_um,
            table.axes,
            table.rotation,
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the cuboid or the ellipsoid around the mask, whichever is smaller."""
        self._check_axes(grid)
        _, axes, rotation = to_3d(objects, grid)
        which = prototype_of(objects.key, len(self.bank))
        return self._reach(axes, rotation, which, grid.ndim)[0][:, 3 - grid.ndim :]

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """1: the semi-axes of a prototype are chosen so."""
        return np.ones(len(objects))

    def texture(self, labels: Labels, objects: Objects, grid: Grid, box: Box | None = None) -> Plane:
        """Grey value of each voxel relative to the mean of its cell; 0 in background.

        Parameters
        ----------
        labels
            Of `box`, by default of the whole grid, as `draw` gives them.
        """
        self._check_axes(grid)
        canvas = Canvas.blank(grid, box or grid.box)
        table = self.bank.tables
        centre, axes, rotation = to_3d(objects, grid)
        out = np.zeros(canvas.owner.shape, np.float32)
        _shade(
            out,
            labels.reshape(out.shape),
            canvas.start,
            canvas.voxel_um,
            centre,
            axes,
            rotation,
            objects.key,
            prototype_of(objects.key, len(self.bank)),
            grid.ndim,
            self.elastic,
            self.elastic_lobes,
            np.array(self.contrast),
            np.array(self.gamma),
            self.blur,
            table.shape_px,
            table.voxel_um,
            table.first,
            table.distance,
            table.texture,
            table.blurred,
            table.centre_um,
            table.axes,
            table.rotation,
        )
        return out.reshape(labels.shape)

    def _check_axes(self, grid: Grid) -> None:
        if grid.ndim != self.bank.ndim:
            raise InputError(
                f"the prototypes are {self.bank.ndim}D and the grid is {grid.ndim}D; cut prototypes out of "
                f"{grid.ndim}D images"
            )

    def _reach(
        self, axes: np.ndarray, rotation: np.ndarray, which: np.ndarray, ndim: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Half extents (n, 3) in um, and the distance in semi-axes beyond which there is nothing."""
        table = self.bank.tables
        reach = table.farthest[which] + self.elastic * math.sqrt(ndim)
        cuboid = half_extents_of_cuboids(axes * (table.half_sides[which] + self.elastic), rotation)
        return np.minimum(cuboid, half_extents_of_ellipsoids(axes, rotation, reach)), reach


@njit(cache=True, nogil=True, inline="always")
def _shift(u, v, w, key, ndim, elastic, lobes):
    """Move a place in the cell by lattice noise."""
    a, b, c = u * lobes, v * lobes, w * lobes
    if ndim == 3:
        u += elastic * noise(key + np.uint64(1), a, b, c)
    return (
        u,
        v + elastic * noise(key + np.uint64(2), a, b, c),
        w + elastic * noise(key + np.uint64(3), a, b, c),
    )


@njit(cache=True, nogil=True, inline="always")
def _place_in_crop(u, v, w, centre, axes, rotation, voxel):
    """Place in a prototype, in voxels of its crop, of a place in semi-axes."""
    a, b, c = u * axes[0], v * axes[1], w * axes[2]
    return (
        (centre[0] + rotation[0, 0] * a + rotation[0, 1] * b + rotation[0, 2] * c) / voxel[0],
        (centre[1] + rotation[1, 0] * a + rotation[1, 1] * b + rotation[1, 2] * c) / voxel[1],
        (centre[2] + rotation[2, 0] * a + rotation[2, 1] * b + rotation[2, 2] * c) / voxel[2],
    )


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
    keys,
    which,
    reach,
    ndim,
    elastic,
    lobes,
    crop_shape,
    crop_voxel,
    crop_first,
    crop_distance,
    crop_centre,
    crop_axes,
    crop_rotation,
):
    for i in range(ids.size):
        turn, axis, m = rotation[i], axes[i], which[i]
        shape = crop_shape[m]
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                first = (start[2] + 0.5) * voxel[2] - centre[i, 2]
                begin, end = span_in_row(turn, axis, reach[i], dz, dy, first, voxel[2], low[i, 2], high[i, 2])
                for x in range(begin, end):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u, v, w = local_offset(turn, axis, dz, dy, dx)
                    if elastic > 0.0:
                        u, v, w = _shift(u, v, w, keys[i], ndim, elastic, lobes)
                    a, b, c = _place_in_crop(
                        u, v, w, crop_centre[m], crop_axes[m], crop_rotation[m], crop_voxel[m]
                    )
                    if a < 0.0 or b < 0.0 or c < 0.0 or a >= shape[0] or b >= shape[1] or c >= shape[2]:
                        continue
                    distance = crop_distance[crop_first[m] + (int(a) * shape[1] + int(b)) * shape[2] + int(c)]
                    if distance < 1.0:
                        claim(owner, nearness, z, y, x, distance, ids[i])


@njit(cache=True, nogil=True)
def _interpolate(values, first, shape, a, b, c):
    """Linear, between the centres of voxels."""
    a = min(max(a - 0.5, 0.0), shape[0] - 1.0)
    b = min(max(b - 0.5, 0.0), shape[1] - 1.0)
    c = min(max(c - 0.5, 0.0), shape[2] - 1.0)
    total = 0.0
    for dz in range(2):
        for dy in range(2):
            for dx in range(2):
                z, y, x = int(a) + dz, int(b) + dy, int(c) + dx
                weight = (1.0 - abs(a - z)) * (1.0 - abs(b - y)) * (1.0 - abs(c - x))
                if weight > 0.0:
                    total += weight * values[first + (z * shape[1] + y) * shape[2] + x]
    return total


@njit(cache=True, nogil=True, inline="always")
def _tone(value, contrast, gamma):
    return max(1.0 + (value - 1.0) * contrast, 0.0) ** gamma


_N_FOR_MEAN = 2000
"""Voxels of a prototype that are looked at for the mean of its changed grey values."""


@njit(cache=True, nogil=True, error_model="numpy")
def _shade(
    out,
    labels,
    start,
    voxel,
    centre,
    axes,
    rotation,
    keys,
    which,
    ndim,
    elastic,
    lobes,
    contrasts,
    gammas,
    blur,
    crop_shape,
    crop_voxel,
    crop_first,
    crop_distance,
    crop_texture,
    crop_blurred,
    crop_centre,
    crop_axes,
    crop_rotation,
):
    # Contrast, gamma, share of the blurred copy and factor of each object, worked out when it is first met.
    looks = np.full((keys.size, 4), -1.0)
    for z in range(labels.shape[0]):
        dz0 = (z + start[0] + 0.5) * voxel[0]
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                i = labels[z, y, x] - 1
                if i < 0:
                    continue
                m = which[i]
                look = looks[i]
                if look[0] < 0.0:
                    look[0] = contrasts[0] + (contrasts[1] - contrasts[0]) * uniform(keys[i], 0, 62)
                    look[1] = gammas[0] + (gammas[1] - gammas[0]) * uniform(keys[i], 1, 62)
                    look[2] = blur * uniform(keys[i], 2, 62)
                    total, n = 0.0, 0
                    step = max((crop_first[m + 1] - crop_first[m]) // _N_FOR_MEAN, 1)
                    for k in range(crop_first[m], crop_first[m + 1], step):
                        if crop_distance[k] < 1.0:
                            value = crop_texture[k] + look[2] * (crop_blurred[k] - crop_texture[k])
                            total += _tone(value, look[0], look[1])
                            n += 1
                    is_changed = look[0] != 1.0 or look[1] != 1.0 or look[2] != 0.0
                    look[3] = n / total if is_changed and total > 0.0 else 1.0
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                u, v, w = local_offset(rotation[i], axes[i], dz0 - centre[i, 0], dy, dx)
                if elastic > 0.0:
                    u, v, w = _shift(u, v, w, keys[i], ndim, elastic, lobes)
                a, b, c = _place_in_crop(
                    u, v, w, crop_centre[m], crop_axes[m], crop_rotation[m], crop_voxel[m]
                )
                value = (1.0 - look[2]) * _interpolate(crop_texture, crop_first[m], crop_shape[m], a, b, c)
                if look[2] > 0.0:
                    value += look[2] * _interpolate(crop_blurred, crop_first[m], crop_shape[m], a, b, c)
                out[z, y, x] = _tone(value, look[0], look[1]) * look[3]
