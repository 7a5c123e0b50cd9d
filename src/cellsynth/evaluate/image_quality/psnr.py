"""Peak signal-to-noise ratio."""

import math
from typing import ClassVar, Literal

from ._pair import ImagePair
from .base import AbstractImageMetric, ErrorSums, registry, sum_errors


@registry.register
class Psnr(AbstractImageMetric[ErrorSums]):
    """Peak signal-to-noise ratio in dB: 10 log10(L^2 / MSE), L the width of the data range.

    The mean over all voxels and channels. The pooled score of several images is that of their pooled error; the
    mean over images is larger, and infinite as soon as one is identical.

    Range 0 to infinity; infinite for identical images, never NaN.

    References
    ----------
    .. [1] Z. Wang, A. Bovik, "Mean squared error: love it or leave it?", IEEE Signal Process. Mag. 26 (2009) 98-117.
    """

    kind: Literal["psnr"] = "psnr"
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "dB"

    def measure(self, pair: ImagePair) -> ErrorSums:
        return sum_errors(pair)

    def score(self, counts: ErrorSums) -> float:
        mse = counts.squared_error / counts.n
        return max(0.0, -10 * math.log10(mse)) if mse > 0 else math.inf
