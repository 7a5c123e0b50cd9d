"""The shape of a real sample."""

import logging
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import ndimage

from ...core.errors import InputError, RecipeError
from ...core.field import LatticeField
from ...core.grid import Grid
from ...core.rng import Key
from ...io.formats import read_header, read_pixels
from .base import AbstractRegion, registry

_log = logging.getLogger(__name__)


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
        self._warn_of_size(voxel, grid)
        depth = _signed_distance(is_inside, voxel)
        index = points_um[:, 3 - grid.ndim :].T / np.array(voxel)[:, None] - 0.5
        return ndimage.map_coordinates(depth, index, order=1, mode="nearest")

    def _warn_of_size(self, voxel_um: list[float], grid: Grid) -> None:
        """Say so where the grid makes the sample larger, smaller or of another shape than its file says."""
        said = read_header(self.path).voxel_um
        if (grid.ndim == 3 and said is None) or (said is not None and not grid.is_scale_known):
            return
        # Without a size, pixels of a picture are at least square.
        own = (min(voxel_um),) * 2 if said is None else said[-grid.ndim :]
        factors = [v / o for v, o in zip(voxel_um, own, strict=True)]
        if max(*factors, *(1 / f for f in factors)) > _SLIGHT:
            _log.warning(
                "region mask: %s is stretched over the grid, and so its voxels of %s um become %s um; give a grid of "
                "the extent of the mask to keep its size",
                self.path,
                [round(o, 4) for o in own],
                [round(v, 4) for v in voxel_um],
            )


_SLIGHT = 1.05
"""Factor below which a change of size is a matter of rounding."""


def _signed_distance(is_inside: np.ndarray, voxel: list[float]) -> np.ndarray:
    """Positive inside; zero on the face between a voxel inside and one outside."""
    half = min(voxel) / 2
    inside = ndimage.distance_transform_edt(is_inside, sampling=voxel)
    if is_inside.all():
        return np.full(is_inside.shape, float(max(np.array(is_inside.shape) * voxel)))
    outside = ndimage.distance_transform_edt(~is_inside, sampling=voxel)
    return np.where(is_inside, np.asarray(inside) - half, half - np.asarray(outside))
