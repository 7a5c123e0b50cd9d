"""What every point spread function is."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from ...core.errors import RecipeError
from ...core.registry import Plugin, Registry

registry: "Registry[AbstractPsf]" = Registry("cellsynth.render.psfs", "point spread function")

Kernel = Float32[np.ndarray, "_ _ _"]
"""Odd along each axis, the point in the middle, sum 1."""


class AbstractPsf(Plugin, ABC):
    """A way in which the light of a point spreads over a volume."""

    @abstractmethod
    def kernel(self, voxel_um: tuple[float, float, float]) -> Kernel:
        """Light of a point in the middle of a voxel that falls on the voxels around it."""


def normalised(values: np.ndarray) -> Kernel:
    """Values as a kernel: float32 of sum 1."""
    return (values / values.sum()).astype(np.float32)


_LARGEST = 2**27
"""Voxels of a kernel; four times a tile of the image."""


def check_size(reach_um: Sequence[float], voxel_um: Sequence[float]) -> None:
    """Refuse a kernel for which there is no memory, as where micrometres and nanometres were mixed up.

    Raises
    ------
    RecipeError
        Says how large it would be.
    """
    sizes = [2 * r / v + 1 for r, v in zip(reach_um, voxel_um, strict=True)]
    if math.prod(sizes) > _LARGEST:
        raise RecipeError(
            f"render: a point spread function that reaches {' x '.join(f'{r:.3g}' for r in reach_um)} um to each side "
            f"has {' x '.join(f'{n:.3g}' for n in sizes)} voxels of {' x '.join(f'{v:.3g}' for v in voxel_um)} um, too "
            f"many (at most {_LARGEST:.2g} in all); check its width and grid.voxel_um, both are in micrometres"
        )


def half_width(reach_um: float, voxel_um: float) -> int:
    """Voxels to each side that reach so far."""
    return max(0, int(np.ceil(reach_um / voxel_um - 0.5)))


def trimmed(values: np.ndarray, lost: float) -> np.ndarray:
    """Kernel without outer shells that hold less than a share `lost` of the light in all, along each axis."""
    for axis in range(values.ndim):
        others = tuple(a for a in range(values.ndim) if a != axis)
        profile = values.sum(axis=others)
        middle = len(profile) // 2
        pairs = profile[:middle] + profile[: -middle - 1 : -1]  # of both ends, from the outside
        cut = int(np.searchsorted(np.cumsum(pairs), lost / values.ndim * values.sum()))
        index = [slice(None)] * values.ndim
        index[axis] = slice(cut, len(profile) - cut)
        values = values[tuple(index)]
    return values
