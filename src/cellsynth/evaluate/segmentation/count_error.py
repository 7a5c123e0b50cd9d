"""Relative error of the number of cells."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..counts import AbstractCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, registry


@dataclass(frozen=True)
class CellCounts(AbstractCounts):
    """Objects on each side."""

    n_reference: float
    n_prediction: float


@registry.register
class CountError(AbstractMetric[CellCounts]):
    """Absolute difference of the numbers of objects over the number in the reference [1]_.

    The mean over images does not let too many in one image make up for too few in another; the pooled score
    of summed counts does.

    Range 0 to infinity, lower is better; NaN when the reference has no object.

    References
    ----------
    .. [1] The relative error of any count; no paper is its own.
    """

    kind: Literal["count_error"] = "count_error"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def measure(self, pair: LabelPair) -> CellCounts:
        return CellCounts(len(pair.overlap.reference_ids), len(pair.overlap.prediction_ids))

    def score(self, counts: CellCounts) -> float:
        return ratio(abs(counts.n_prediction - counts.n_reference), counts.n_reference)
