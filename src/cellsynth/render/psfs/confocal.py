"""A confocal microscope."""

from typing import Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, model_validator
from scipy.ndimage import convolve

from ._diffraction import check_aperture, kernel_of
from .base import AbstractPsf, Kernel, normalised, registry, trimmed


@registry.register
class Confocal(AbstractPsf):
    """Point scanning: the focus of the laser times what the pinhole lets through of the emitted light [1]_.

    References
    ----------
    .. [1] T. Wilson, C. Sheppard, "Theory and practice of scanning optical microscopy", Academic Press 1984.
    """

    kind: Literal["confocal"] = "confocal"

    na: PositiveFloat = 0.8
    """Numerical aperture."""

    excitation_nm: PositiveFloat = 488.0
    """Wavelength of the laser in vacuum."""

    emission_nm: PositiveFloat = 520.0
    """Wavelength of the light that is seen."""

    immersion_index: PositiveFloat = 1.33
    """Refractive index between lens and sample."""

    pinhole_airy: NonNegativeFloat = 1.0
    """Diameter of the pinhole in diameters of the Airy disc (1.22 wavelengths over the aperture)."""

    reach_z_um: PositiveFloat = 6.0
    """How far the light is followed along the depth."""

    reach_xy_um: PositiveFloat = 3.0
    """How far within a slice."""

    @model_validator(mode="after")
    def _check_aperture(self) -> "Confocal":
        check_aperture(self.na, self.immersion_index)
        return self

    def kernel(self, voxel_um: tuple[float, float, float]) -> Kernel:
        # The pinhole and the product are finer than voxels: computed on pixels of a third of the resolution or less.
        finest = 0.2 * self.excitation_nm * 1e-3 / self.na
        finer = tuple(max(1, int(np.ceil(v / finest)) | 1) for v in voxel_um[1:])
        fine_um = (voxel_um[0], voxel_um[1] / finer[0], voxel_um[2] / finer[1])
        reach = (self.reach_z_um, self.reach_xy_um)
        laser, seen = (
            kernel_of(self.na, wave, self.immersion_index, self.immersion_index, 0.0, fine_um, reach)
            for wave in (self.excitation_nm, self.emission_nm)
        )
        detected = convolve(seen, self._pinhole(fine_um)[None], mode="constant")
        return normalised(trimmed(_binned(laser * detected, finer), 0.005))

    def _pinhole(self, voxel_um: tuple[float, float, float]) -> np.ndarray:
        radius = self.pinhole_airy * 1.22 * self.emission_nm * 1e-3 / self.na / 2
        halves = [int(radius / v + 0.5) for v in voxel_um[1:]]
        y, x = (np.arange(-h, h + 1) * v for h, v in zip(halves, voxel_um[1:], strict=True))
        disc = (np.hypot(*np.meshgrid(y, x, indexing="ij")) <= max(radius, 1e-9)).astype(float)
        return disc / disc.sum()


def _binned(values: np.ndarray, finer: tuple[int, ...]) -> np.ndarray:
    """Sums over pixels of `finer` fine ones each, the point in the middle of the middle one."""
    for axis, n in zip((1, 2), finer, strict=True):
        middle = values.shape[axis] // 2
        half = (middle - n // 2) // n
        first = middle - n // 2 - half * n
        values = np.take(values, np.arange(first, first + (2 * half + 1) * n), axis)
        shape = (*values.shape[:axis], 2 * half + 1, n, *values.shape[axis + 1 :])
        values = values.reshape(shape).sum(axis=axis + 1)
    return values
