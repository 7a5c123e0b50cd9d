"""The shape of a real sample."""

from pathlib import Path
from typing import Literal

import numpy as np
from scipy import ndimage

from ...core.errors import InputError, RecipeError
from ...core.field import LatticeField
from ...core.grid import Grid
from ...core.rng import Key
from ...io.formats import read_pixels
from .base import AbstractRegion, registry


@registry.register
class Mask(AbstractRegion):
    """The foreground of a mask image, stretched over the grid: such as one that `extract` makes of an image."""

    kind: Literal["mask"] = "mask"

    path: Path
    """Image or volume, 0 outside; of any size."""

    def depth_um(
        self, points_um: np.ndarray, grid: Grid, key: Key, within: LatticeField | None = None
    ) -> np.ndarray:
        pixels = read_pixels(self.path)
        if pixels.ndim != grid.ndim:
            raise RecipeError(
                f"region mask: {self.path} has {pixels.ndim} axes and the grid {grid.ndim}; give one of the same kind"
            )
        is_inside = pixels > 0
        if not is_inside.any():
            raise InputError(f"{self.path}: the mask has nothing in it; values above 0 are inside")
        voxel = [e / n for e, n in zip(grid.extent_um, pixels.shape, strict=True)]
        depth = _signed_distance(is_inside, voxel)
        index = points_um[:, 3 - grid.ndim :].T / np.array(voxel)[:, None] - 0.5
        return ndimage.map_coordinates(depth, index, order=1, mode="nearest")


def _signed_distance(is_inside: np.ndarray, voxel: list[float]) -> np.ndarray:
    """Positive inside; zero on the face between a voxel inside and one outside."""
    half = min(voxel) / 2
    inside = ndimage.distance_transform_edt(is_inside, sampling=voxel)
    if is_inside.all():
        return np.full(is_inside.shape, float(max(np.array(is_inside.shape) * voxel)))
    outside = ndimage.distance_transform_edt(~is_inside, sampling=voxel)
    return np.where(is_inside, np.asarray(inside) - half, half - np.asarray(outside))
