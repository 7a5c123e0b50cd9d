"""Normalised root mean square error."""

import math
from typing import ClassVar, Literal

from ..counts import ratio
from ._pair import ImagePair
from .base import AbstractImageMetric, ErrorSums, registry, sum_errors


@registry.register
class Nrmse(AbstractImageMetric[ErrorSums]):
    """Root mean square error, divided by what `normalized_by` says.

    Range 0 to infinity, lower is better; 0 for identical images. NaN when the divisor is 0: a black reference, or
    for `std` one of a single value.

    References
    ----------
    .. [1] J. Fienup, "Invariant error metrics for image reconstruction", Appl. Opt. 36 (1997) 8352-8357: the root
       of the squared error over the squared reference, without a fit of scale.
    """

    kind: Literal["nrmse"] = "nrmse"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)

    normalized_by: Literal["rms", "data_range", "mean", "std"] = "rms"
    """Root mean square, mean or standard deviation of the reference above the low end of its range, or the range."""

    def measure(self, pair: ImagePair) -> ErrorSums:
        return sum_errors(pair)

    def score(self, counts: ErrorSums) -> float:
        if counts.squared_error == 0:
            return 0.0
        mean, mean_square = counts.reference / counts.n, counts.reference_squared / counts.n
        divisor = {
            "rms": math.sqrt(mean_square),
            "data_range": 1.0,
            "mean": mean,
            "std": math.sqrt(max(0.0, mean_square - mean**2)),
        }[self.normalized_by]
        return ratio(math.sqrt(counts.squared_error / counts.n), divisor)
