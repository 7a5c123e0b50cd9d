"""Light that tissue takes away on its way through it."""

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from jaxtyping import Float
from numba import njit
from pydantic import PositiveFloat, model_validator

from ..core.config import Config
from ..core.field import LatticeField
from ..core.grid import Grid

Law = Literal["none", "beer_lambert", "fOld", "f1", "f2", "f2p", "f3", "f3p"]


class Attenuation(Config):
    """How brightness falls with the path of light through tissue.

    `beer_lambert` is exp(-path / length_um). The others are the published laws of spheroids [1]_, of d, the path in
    slices, with Z slices in all: fOld (d/Z + 1)^-6 + 0.2; f1 ((d + 5)/Z + 1)^-6; f2 (d/150 + 1)^-6; f2p (d/b + 1)^-6;
    f3 ((d - 10)/200 + 1)^-6; f3p ((d - 10)/b + 1)^-6; all cut to 0 to 1.

    References
    ----------
    .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures for training and
       benchmarking", PLOS ONE 18 (2023) e0283828. There the image is scaled back to its old maximum; here it is not.
    """

    law: Law = "none"
    """Name of the law."""

    length_um: PositiveFloat = 80.0
    """Path after which `beer_lambert` leaves 1/e."""

    b: PositiveFloat = 150.0
    """Of the laws f2p and f3p, in slices."""

    slice_um: PositiveFloat | None = None
    """Distance of the slices that the published laws count; by default that of the grid."""

    least: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Brightness that is always left."""

    @model_validator(mode="after")
    def _check_b(self) -> "Attenuation":
        if self.law == "f3p" and self.b <= 10:
            raise ValueError(f"b is {self.b:g}; the law f3p needs more than 10 slices")
        return self

    def factor(self, path_um: Float[np.ndarray, "*zyx"], grid: Grid) -> Float[np.ndarray, "*zyx"]:
        """Brightness left after a path through tissue, 0 to 1."""
        if self.law == "none":
            return np.ones_like(path_um)
        left = np.empty_like(path_um, order="C")
        path = np.ascontiguousarray(path_um).reshape(-1)
        if self.law == "beer_lambert":
            _fill_exponential(left.reshape(-1), path, 1 / self.length_um, self.least)
        else:
            slice_um = self.slice_um or grid.voxel_um[0]
            shift, scale, offset = self._published(grid.extent_um[0] / slice_um)
            _fill_sixth_power(
                left.reshape(-1), path, 1 / (slice_um * scale), shift / scale + 1, offset, self.least
            )
        return left

    def _published(self, n_slices: float) -> tuple[float, float, float]:
        """Of ((d + shift) / scale + 1)^-6 + offset."""
        return {
            "fOld": (0.0, n_slices, 0.2),
            "f1": (5.0, n_slices, 0.0),
            "f2": (0.0, 150.0, 0.0),
            "f2p": (0.0, self.b, 0.0),
            "f3": (-10.0, 200.0, 0.0),
            "f3p": (-10.0, self.b, 0.0),
        }[self.law]


@njit(cache=True, nogil=True)
def _fill_exponential(left, path, rate, least):
    for i in range(path.size):
        left[i] = min(max(math.exp(-path[i] * rate), least), 1.0)


@njit(cache=True, nogil=True)
def _fill_sixth_power(left, path, factor, start, offset, least):
    for i in range(path.size):
        inverse = 1.0 / (path[i] * factor + start)
        square = inverse * inverse
        left[i] = min(max(square * square * square + offset, least), 1.0)


def path_field(tissue: LatticeField | None, grid: Grid) -> LatticeField:
    """Path of light from the top of the grid down to each point, through tissue only, in um; 0 in a plane.

    Parameters
    ----------
    tissue
        Depth inside of it; None where it fills the grid.
    """
    if grid.ndim == 2:
        return LatticeField(np.zeros((2, 2, 2), np.float32), np.full(3, -1e6), np.full(3, 2e6))
    if tissue is None:
        values = np.array([0.0, grid.extent_um[0]], np.float32).reshape(2, 1, 1)
        corners = np.array([0.0, -1e6, -1e6])
        return LatticeField(
            np.broadcast_to(values, (2, 2, 2)).copy(), corners, np.array([grid.extent_um[0], 2e6, 2e6])
        )
    step = float(tissue.step_um[0])
    # A lattice cell that the border cuts counts in part.
    inside = np.clip(tissue.values / max(step, 1e-9) + 0.5, 0, 1).astype(np.float64)
    path = (np.cumsum(inside, axis=0) - inside / 2) * step
    return LatticeField(path.astype(np.float32), tissue.origin_um, tissue.step_um)
