"""Relative error of the number of points."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..counts import AbstractCounts, ratio
from ._pair import PointPair
from .base import AbstractDetectionMetric, registry


@dataclass(frozen=True)
class SideCounts(AbstractCounts):
    """Points on each side."""

    n_reference: float
    n_prediction: float


@registry.register
class CountError(AbstractDetectionMetric[SideCounts]):
    """Absolute difference of the numbers of points over the number in the reference.

    The mean over images does not let too many in one image make up for too few in another; the pooled score
    of summed counts does.

    Range 0 to infinity, lower is better; 0 when neither side has a point, NaN when only the reference has none.

    References
    ----------
    .. [1] V. Lempitsky, A. Zisserman, "Learning to count objects in images", NIPS 2010: the absolute error of the
       count; here over the true count.
    """

    kind: Literal["count_error"] = "count_error"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def measure(self, pair: PointPair) -> SideCounts:
        return SideCounts(len(pair.reference), len(pair.prediction))

    def score(self, counts: SideCounts) -> float:
        if counts.n_reference == counts.n_prediction:
            return 0.0
        return ratio(abs(counts.n_prediction - counts.n_reference), counts.n_reference)
