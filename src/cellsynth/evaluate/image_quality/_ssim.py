"""Structural similarity of one channel, with its part that ignores brightness."""

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import correlate1d


def ssim_parts(
    x: Float64[np.ndarray, "*zyx"],
    y: Float64[np.ndarray, "*zyx"],
    window_px: int,
    sigma_px: float,
    c1: float,
    c2: float,
) -> tuple[float, float]:
    """Mean of the SSIM map, and of its factor of contrast and structure, over all places of the whole window."""
    offsets = np.arange(window_px) - window_px // 2
    weights = np.exp(-(offsets**2) / (2 * sigma_px**2))
    weights /= weights.sum()
    inside = tuple(slice(window_px // 2, n - window_px // 2) for n in x.shape)

    def local_mean(values: np.ndarray) -> np.ndarray:
        for axis in range(values.ndim):
            values = correlate1d(values, weights, axis, mode="constant")
        return values[inside]

    mean_x, mean_y = local_mean(x), local_mean(y)
    square_x, square_y, product = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
    variances = local_mean(x * x) - square_x + local_mean(y * y) - square_y
    structure = (2 * (local_mean(x * y) - product) + c2) / (variances + c2)
    brightness = (2 * product + c1) / (square_x + square_y + c1)
    return float((brightness * structure).mean()), float(structure.mean())
