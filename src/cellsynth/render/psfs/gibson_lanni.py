"""Widefield fluorescence by the model of Gibson and Lanni."""

from typing import Literal

from pydantic import NonNegativeFloat, PositiveFloat, model_validator

from ._diffraction import check_aperture, kernel_of
from .base import AbstractPsf, Kernel, normalised, registry, trimmed


@registry.register
class GibsonLanni(AbstractPsf):
    """A widefield microscope whose sample has another refractive index than the lens is made for [1]_.

    At no depth, or with equal indices, it is the model of Born and Wolf.

    References
    ----------
    .. [1] S. Gibson, F. Lanni, J. Opt. Soc. Am. A 9 (1992) 154-166: see `_diffraction`.
    """

    kind: Literal["gibson_lanni"] = "gibson_lanni"

    na: PositiveFloat = 0.8
    """Numerical aperture."""

    emission_nm: PositiveFloat = 520.0
    """Wavelength in vacuum of the light that is seen."""

    immersion_index: PositiveFloat = 1.33
    """Refractive index between lens and sample: air 1.0, water 1.33, glycerol 1.47, oil 1.515."""

    sample_index: PositiveFloat = 1.37
    """Refractive index of the sample."""

    depth_um: NonNegativeFloat = 0.0
    """Of the point below the cover glass; spherical aberration grows with it."""

    reach_z_um: PositiveFloat = 8.0
    """How far the light is followed along the depth."""

    reach_xy_um: PositiveFloat = 4.0
    """How far within a slice."""

    @model_validator(mode="after")
    def _check_aperture(self) -> "GibsonLanni":
        check_aperture(self.na, self.immersion_index)
        return self

    def kernel(self, voxel_um: tuple[float, float, float]) -> Kernel:
        values = kernel_of(
            self.na,
            self.emission_nm,
            self.immersion_index,
            self.sample_index,
            self.depth_um,
            voxel_um,
            (self.reach_z_um, self.reach_xy_um),
        )
        return normalised(trimmed(values, 0.01))
