"""The blur that scattering adds to a point spread function."""

import numpy as np
from scipy.ndimage import convolve1d

from .base import Kernel, check_size, normalised
from .gaussian import profile


def widened(kernel: Kernel, sigma_um: float, voxel_um: tuple[float, float, float]) -> Kernel:
    """Kernel convolved with a Gaussian within slices."""
    if sigma_um == 0:
        return kernel
    own = [n // 2 * v for n, v in zip(kernel.shape, voxel_um, strict=True)]
    check_size((own[0], own[1] + 4 * sigma_um, own[2] + 4 * sigma_um), voxel_um)
    result = kernel.astype(float)
    for axis in (1, 2):
        weights = profile(sigma_um, voxel_um[axis])
        half = len(weights) // 2
        widths = [(0, 0)] * 3
        widths[axis] = (half, half)
        result = convolve1d(np.pad(result, widths), weights, axis=axis, mode="constant")
    return normalised(result)
