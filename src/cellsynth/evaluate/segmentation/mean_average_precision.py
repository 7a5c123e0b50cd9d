"""Average precision averaged over IoU thresholds: the score of the 2018 Data Science Bowl."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval, MinLen
from jaxtyping import Float64

from ..counts import AbstractCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@dataclass(frozen=True, eq=False)
class SweepCounts(AbstractCounts):
    """Objects matched at each threshold."""

    tp: Float64[np.ndarray, " t"]
    """Matched pairs at each threshold."""

    n_objects: Float64[np.ndarray, " t"]
    """TP + FP + FN at each threshold."""


@registry.register
class MeanAveragePrecision(AbstractMetric[SweepCounts]):
    """Mean over `ious` of TP / (TP + FP + FN) [1]_.

    Objects match one to one at an IoU of at least the threshold; the Data Science Bowl asked for more than
    the threshold, which differs only where an IoU equals it exactly. The mean of this score over images is
    the score of the Data Science Bowl.

    Range 0 to 1; NaN when neither side has an object, 0 when one side has none.

    References
    ----------
    .. [1] J. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl",
       Nat. Methods 16 (2019) 1247-1253.
    """

    kind: Literal["mean_average_precision"] = "mean_average_precision"

    # Decimal literals: a sum of steps of 0.05 misses 0.6, and with it an IoU of 3/5.
    ious: Annotated[tuple[Annotated[float, Interval(gt=0, le=1)], ...], MinLen(1)] = (
        0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95,
    )  # fmt: skip
    """IoU thresholds."""

    def measure(self, pair: LabelPair) -> SweepCounts:
        counts = [count_objects(pair, iou) for iou in self.ious]
        return SweepCounts(
            tp=np.array([c.tp for c in counts], float),
            n_objects=np.array([c.tp + c.fp + c.fn for c in counts], float),
        )

    def score(self, counts: SweepCounts) -> float:
        precisions = [ratio(tp, n) for tp, n in zip(counts.tp, counts.n_objects, strict=True)]
        return float(np.mean(precisions))
