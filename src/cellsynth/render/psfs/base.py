"""What every point spread function is."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float32

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
