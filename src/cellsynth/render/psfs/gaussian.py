"""A Gaussian."""

from typing import Literal

import numpy as np
from pydantic import NonNegativeFloat
from scipy.special import erf

from .base import AbstractPsf, Kernel, check_size, half_width, normalised, registry


@registry.register
class Gaussian(AbstractPsf):
    """Gaussian in each direction, integrated over the voxels: plain, and good near the focus of any microscope."""

    kind: Literal["gaussian"] = "gaussian"

    sigma_xy_um: NonNegativeFloat = 0.2
    """Standard deviation within a slice."""

    sigma_z_um: NonNegativeFloat = 0.6
    """Standard deviation along the depth."""

    def kernel(self, voxel_um: tuple[float, float, float]) -> Kernel:
        sigmas = (self.sigma_z_um, self.sigma_xy_um, self.sigma_xy_um)
        check_size([4 * sigma for sigma in sigmas], voxel_um)
        profiles = [profile(sigma, voxel) for sigma, voxel in zip(sigmas, voxel_um, strict=True)]
        return normalised(np.einsum("z,y,x->zyx", *profiles))


def profile(sigma_um: float, voxel_um: float) -> np.ndarray:
    """Share of a Gaussian in each voxel, to 4 standard deviations."""
    if sigma_um == 0:
        return np.ones(1)
    half = half_width(4 * sigma_um, voxel_um)
    edges = (np.arange(-half, half + 2) - 0.5) * voxel_um
    return np.diff(erf(edges / (np.sqrt(2) * sigma_um))) / 2
