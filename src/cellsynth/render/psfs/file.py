"""A measured point spread function."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import PositiveFloat
from scipy.ndimage import map_coordinates

from ...core.errors import InputError
from ...io.formats import read_header, read_pixels
from .base import AbstractPsf, Kernel, check_size, normalised, registry

_MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_SIGMAS = 3.0

_MOST_PARTS = 32
"""Of a voxel along an axis, over which the mean is taken."""


@registry.register
class File(AbstractPsf):
    """A point spread function from a TIFF file, such as one measured from beads.

    It is resampled to the voxels of the grid about its centre of light, which makes any size, even or odd, odd: what
    falls on a voxel is the mean over it. The median of its faces is the background, and what is within three standard
    deviations of their noise is none of its light.
    """

    kind: Literal["file"] = "file"

    path: Path
    """Volume (Z, Y, X), integers or floats."""

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
        if values.min() == values.max():
            raise InputError(f"{self.path}: has one value everywhere; a point spread function has a peak")
        faces = np.concatenate([values.take(end, axis).ravel() for axis in range(3) for end in (0, -1)])
        background = np.median(faces)
        noise = _MAD_TO_SIGMA * np.median(np.abs(faces - background))
        values = np.where(values > background + _SIGMAS * noise, values - background, 0)
        if values.max() == 0:
            raise InputError(
                f"{self.path}: nothing is brighter than its border; a point spread function has a peak"
            )
        centre = np.array([(values.sum(axis=tuple({0, 1, 2} - {a})) * np.arange(n)).sum() for a, n in
                           enumerate(values.shape)]) / values.sum()  # fmt: skip
        reach = [min(c, n - 1 - c) * o for c, n, o in zip(centre, values.shape, own, strict=True)]
        check_size(reach, voxel_um)
        halves = [int(r / v) for r, v in zip(reach, voxel_um, strict=True)]
        parts = [min(max(int(np.ceil(v / o)), 1), _MOST_PARTS) for v, o in zip(voxel_um, own, strict=True)]
        axes = [
            c + (np.arange((2 * h + 1) * n) + 0.5 - (2 * h + 1) * n / 2) * v / (n * o)
            for c, h, n, v, o in zip(centre, halves, parts, voxel_um, own, strict=True)
        ]
        # One slice of voxels after another, as there may be many points in each.
        inside = [2 * h + 1 for h in halves]
        kernel = np.empty(inside)
        for z in range(inside[0]):
            planes = axes[0][z * parts[0] : (z + 1) * parts[0]]
            points = np.stack(np.meshgrid(planes, axes[1], axes[2], indexing="ij"))
            found = map_coordinates(values, points, order=1, mode="constant")
            kernel[z] = found.reshape(parts[0], inside[1], parts[1], inside[2], parts[2]).mean(axis=(0, 2, 4))
        if kernel.sum() == 0:
            raise InputError(
                f"{self.path}: no light of it is left on voxels of {list(voxel_um)} um; check its size"
            )
        return normalised(kernel)
