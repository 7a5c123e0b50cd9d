"""Structural similarity over several scales."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import MinLen
from pydantic import PositiveFloat, PositiveInt

from ._filters import average_pool
from ._pair import ImagePair, require_size
from ._ssim import ssim_parts
from .base import AbstractImageMetric, ScoreSum, registry


@registry.register
class MsSsim(AbstractImageMetric[ScoreSum]):
    """Structural similarity over scales [1]_: contrast and structure of every scale, brightness of the coarsest.

    Each scale averages 2 voxels along every axis; at an odd size the last one stands alone. Per channel, then the
    mean. A negative mean similarity counts as 0, as a power of it has no value.

    Range 0 to 1; 1 for identical images, never NaN.

    References
    ----------
    .. [1] Z. Wang, E. Simoncelli, A. Bovik, "Multi-scale structural similarity for image quality assessment",
       Asilomar 2003, Eq. 7.
    """

    kind: Literal["ms_ssim"] = "ms_ssim"

    weights: Annotated[tuple[PositiveFloat, ...], MinLen(1)] = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    """Exponent of each scale, the finest first."""

    radius_px: PositiveInt = 5
    """Half the window without its centre: 5 is a window of 11."""

    sigma_px: PositiveFloat = 1.5
    """Standard deviation of the Gaussian window."""

    k1: PositiveFloat = 0.01
    """Steadies the comparison of dark places: C1 = (k1 L)^2."""

    k2: PositiveFloat = 0.03
    """Steadies the comparison of flat places: C2 = (k2 L)^2."""

    def measure(self, pair: ImagePair) -> ScoreSum:
        window_px, n_scales = 2 * self.radius_px + 1, len(self.weights)
        smallest_px = (window_px - 1) * 2 ** (n_scales - 1) + 1
        require_size(pair, smallest_px, f"{n_scales} scales of a window of {window_px}")
        x, y = pair.reference, pair.candidate
        product = np.ones(len(x))
        for scale, weight in enumerate(self.weights):
            if scale:
                x, y = average_pool(x, 2), average_pool(y, 2)
            is_coarsest = scale == n_scales - 1
            parts = [
                ssim_parts(a, b, window_px, self.sigma_px, self.k1**2, self.k2**2)[0 if is_coarsest else 1]
                for a, b in zip(x, y, strict=True)
            ]
            product *= np.maximum(parts, 0) ** weight
        return ScoreSum(float(product.mean()), 1)

    def score(self, counts: ScoreSum) -> float:
        return counts.mean
