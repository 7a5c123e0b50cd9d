"""Haar wavelet-based perceptual similarity index."""

from typing import Literal

import numpy as np
from jaxtyping import Float64
from pydantic import PositiveFloat
from scipy.ndimage import correlate1d
from scipy.special import expit, logit

from ._filters import average_pool, similarity, to_yiq
from ._pair import ImagePair, require_2d, require_size
from .base import AbstractImageMetric, ScoreSum, registry

_COARSEST_PX = 8
_FINE_PX = (2, 4)


@registry.register
class HaarPsi(AbstractImageMetric[ScoreSum]):
    """Similarity of Haar coefficients, weighted by the coarse ones [1]_.

    Per orientation, S is the mean similarity of the coefficients of 2 and 4 pixels, and the weight the larger of both
    coefficients of 8 pixels; for RGB, the chrominances I and Q are a third map, with the mean weight. Images
    are first averaged over 2x2 pixels and are 0 outside of themselves. Constants are for values of 0 to 255.

    Range 0 to 1; 1 for identical images, never NaN. Grey or RGB, 2D.

    References
    ----------
    .. [1] R. Reisenhofer et al., "A Haar wavelet-based perceptual similarity index for image quality assessment",
       Signal Process. Image Commun. 61 (2018) 33-43, Eq. 11 to 14.
    """

    kind: Literal["haarpsi"] = "haarpsi"

    c: PositiveFloat = 30.0
    """Steadies the comparison of small coefficients."""

    slope: PositiveFloat = 4.2
    """Of the logistic function through which similarities are averaged, alpha."""

    def measure(self, pair: ImagePair) -> ScoreSum:
        require_2d(pair, "HaarPSI")
        require_size(pair, 2 * _COARSEST_PX, f"wavelets of {_COARSEST_PX} pixels at half the size")
        x, y = (_reduced(image) for image in (pair.reference, pair.candidate))
        alike, weights = [], []
        for axis in (0, 1):
            alike.append(
                sum(similarity(_haar(x[0], k, axis), _haar(y[0], k, axis), self.c) for k in _FINE_PX)
                / len(_FINE_PX)
            )
            weights.append(np.maximum(_haar(x[0], _COARSEST_PX, axis), _haar(y[0], _COARSEST_PX, axis)))
        if len(x) == 3:
            alike.append(
                sum(similarity(_mean(a), _mean(b), self.c) for a, b in zip(x[1:], y[1:], strict=True)) / 2
            )
            weights.append((weights[0] + weights[1]) / 2)
        total = float(np.sum(weights))
        if total == 0:
            return ScoreSum(1.0, 1)  # both are black: identical
        mean = float((np.array(weights) * expit(self.slope * np.array(alike))).sum()) / total
        return ScoreSum(min(1.0, float(logit(mean) / self.slope) ** 2), 1)  # 1 but for rounding

    def score(self, counts: ScoreSum) -> float:
        return counts.mean


def _reduced(image: Float64[np.ndarray, "c y x"]) -> np.ndarray:
    """Luminance, and of RGB the chrominances, of 0 to 255 at half the size."""
    return average_pool(255 * (to_yiq(image) if len(image) == 3 else image), 2)


def _haar(plane: np.ndarray, size_px: int, axis: int) -> np.ndarray:
    """Magnitude of the Haar coefficients along one axis at every pixel."""
    step = np.repeat([1.0, -1.0], size_px // 2)
    return np.abs(_correlate(_correlate(plane, step, axis), np.full(size_px, 1 / size_px), 1 - axis))


def _mean(plane: np.ndarray) -> np.ndarray:
    """Magnitude of the mean over 2x2 pixels at every pixel."""
    return np.abs(_correlate(_correlate(plane, np.full(2, 0.5), 0), np.full(2, 0.5), 1))


def _correlate(plane: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    # An even kernel reaches one pixel farther forwards than back, as it does where convolution keeps the size.
    return correlate1d(plane, kernel, axis, mode="constant", origin=-1)
