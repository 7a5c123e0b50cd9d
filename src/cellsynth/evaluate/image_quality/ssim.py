"""Structural similarity."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from ._pair import ImagePair, require_size
from ._ssim import ssim_parts
from .base import AbstractImageMetric, ScoreSum, registry


@registry.register
class Ssim(AbstractImageMetric[ScoreSum]):
    """Structural similarity [1]_, mean over the places where the window fits, and over channels.

    Variances weighted by the window, without correction for its size; no reduction of large images beforehand.
    For images and volumes; the window is as long along Z as along Y and X.

    Range -1 to 1; 1 for identical images, never NaN.

    References
    ----------
    .. [1] Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE Trans.
       Image Process. 13 (2004) 600-612, Eq. 13.
    """

    kind: Literal["ssim"] = "ssim"
    value_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    radius_px: PositiveInt = 5
    """Half the window without its centre: 5 is a window of 11."""

    sigma_px: PositiveFloat = 1.5
    """Standard deviation of the Gaussian window."""

    k1: PositiveFloat = 0.01
    """Steadies the comparison of dark places: C1 = (k1 L)^2."""

    k2: PositiveFloat = 0.03
    """Steadies the comparison of flat places: C2 = (k2 L)^2."""

    def measure(self, pair: ImagePair) -> ScoreSum:
        window_px = 2 * self.radius_px + 1
        require_size(pair, window_px, f"a window of {window_px}")
        parts = [
            ssim_parts(x, y, window_px, self.sigma_px, self.k1**2, self.k2**2)
            for x, y in zip(pair.reference, pair.candidate, strict=True)
        ]
        return ScoreSum(float(np.mean([whole for whole, _ in parts])), 1)

    def score(self, counts: ScoreSum) -> float:
        return counts.mean
