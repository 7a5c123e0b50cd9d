"""Filters that several metrics share."""

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import correlate1d


def average_pool(image: np.ndarray, k: int) -> np.ndarray:
    """Mean over blocks of `k` voxels along every axis but the first; a short last block repeats the edge."""
    if k == 1:
        return image
    image = np.pad(image, [(0, 0)] + [(0, -n % k) for n in image.shape[1:]], mode="edge")
    for axis in range(1, image.ndim):
        shape = (*image.shape[:axis], image.shape[axis] // k, k, *image.shape[axis + 1 :])
        image = image.reshape(shape).mean(axis=axis + 1)
    return image


def gradient_magnitude(plane: Float64[np.ndarray, "y x"]) -> Float64[np.ndarray, "y x"]:
    """Magnitude of Prewitt's gradient, its kernels divided by 3; the image is 0 outside of itself."""
    one, step = np.full(3, 1 / 3), np.array([1.0, 0.0, -1.0])
    y = correlate1d(correlate1d(plane, step, 0, mode="constant"), one, 1, mode="constant")
    x = correlate1d(correlate1d(plane, step, 1, mode="constant"), one, 0, mode="constant")
    return np.sqrt(y * y + x * x)


def similarity(a: np.ndarray, b: np.ndarray, c: float, masking: float = 0.0) -> np.ndarray:
    """1 where both agree: ((2 - m) a b + c) / (a^2 + b^2 - m a b + c)."""
    product = a * b
    return ((2 - masking) * product + c) / (a * a + b * b - masking * product + c)


_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def to_yiq(rgb: Float64[np.ndarray, "3 y x"]) -> Float64[np.ndarray, "3 y x"]:
    """Luminance Y and chrominance I, Q of NTSC."""
    return np.tensordot(_YIQ, rgb, axes=1)


def luminance(image: Float64[np.ndarray, "c y x"]) -> Float64[np.ndarray, "1 y x"]:
    """Luminance of RGB; a grey image is its own."""
    return to_yiq(image)[:1] if len(image) == 3 else image
