"""A measured point spread function."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import PositiveFloat
from scipy.ndimage import map_coordinates

from ...core.errors import InputError
from ...io.formats import read_header, read_pixels
from .base import AbstractPsf, Kernel, check_size, normalised, registry


@registry.register
class File(AbstractPsf):
    """A point spread function from a TIFF file, such as one measured from beads.

    It is resampled to the voxels of the grid about its centre of light, which makes any size, even or odd, odd.
    """

    kind: Literal["file"] = "file"

    path: Path
    """Volume (Z, Y, X), integers or floats; the darkest value is the background."""

    voxel_um: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    """Voxel size, `zyx`; by default what the file says."""

    def kernel(self, voxel_um: tuple[float, float, float]) -> Kernel:
        header = read_header(self.path)
        own = self.voxel_um or header.voxel_um
        if own is None:
            raise InputError(f"{self.path}: has no voxel size; give it: psf.voxel_um=[z, y, x]")
        values = read_pixels(self.path).astype(float)
        if values.ndim != 3:
            raise InputError(
                f"{self.path}: is {header.described}; a point spread function of a volume has the axes ZYX"
            )
        if not np.isfinite(values).all():
            raise InputError(f"{self.path}: has NaN or infinite values; a point spread function has none")
        values -= values.min()
        if values.max() == 0:
            raise InputError(f"{self.path}: has one value everywhere; a point spread function has a peak")
        centre = np.array([(values.sum(axis=tuple({0, 1, 2} - {a})) * np.arange(n)).sum() for a, n in
                           enumerate(values.shape)]) / values.sum()  # fmt: skip
        reach = [min(c, n - 1 - c) * o for c, n, o in zip(centre, values.shape, own, strict=True)]
        check_size(reach, voxel_um)
        halves = [int(r / v) for r, v in zip(reach, voxel_um, strict=True)]
        axes = [
            c + np.arange(-h, h + 1) * v / o for c, h, v, o in zip(centre, halves, voxel_um, own, strict=True)
        ]
        points = np.stack(np.meshgrid(*axes, indexing="ij"))
        return normalised(map_coordinates(values, points, order=1, mode="nearest"))
