"""A light-sheet microscope."""

from typing import Literal

import numpy as np
from pydantic import PositiveFloat, model_validator

from ._diffraction import check_aperture, kernel_of
from .base import AbstractPsf, Kernel, normalised, registry, trimmed


@registry.register
class LightSheet(AbstractPsf):
    """Widefield detection of what a sheet of light excites: the widefield model times the profile of the sheet."""

    kind: Literal["light_sheet"] = "light_sheet"

    na: PositiveFloat = 0.5
    """Numerical aperture of the detection."""

    emission_nm: PositiveFloat = 520.0
    """Wavelength of the light that is seen."""

    immersion_index: PositiveFloat = 1.33
    """Refractive index between lens and sample."""

    thickness_um: PositiveFloat = 4.0
    """Full width at half maximum of the sheet."""

    reach_xy_um: PositiveFloat = 4.0
    """How far the light is followed within a slice."""

    @model_validator(mode="after")
    def _check_aperture(self) -> "LightSheet":
        check_aperture(self.na, self.immersion_index)
        return self

    def kernel(self, voxel_um: tuple[float, float, float]) -> Kernel:
        sigma = self.thickness_um / np.sqrt(8 * np.log(2))
        values = kernel_of(
            self.na,
            self.emission_nm,
            self.immersion_index,
            self.immersion_index,
            0.0,
            voxel_um,
            (3 * sigma, self.reach_xy_um),
        )
        z = (np.arange(len(values)) - len(values) // 2) * voxel_um[0]
        sheet = np.exp(-(z**2) / (2 * sigma**2))
        return normalised(trimmed(values * sheet[:, None, None], 0.01))
