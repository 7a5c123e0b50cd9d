"""Correlation of the two foregrounds."""

from typing import ClassVar, Literal

from ..counts import PixelCounts, matthews
from ._pair import LabelPair
from .base import AbstractMetric, count_pixels, registry


@registry.register
class MatthewsCorrelation(AbstractMetric[PixelCounts]):
    """Correlation of foreground and background of both sides, voxel by voxel (MCC) [1]_.

    (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)). Unlike accuracy it does not reward a prediction of
    nothing where cells are few. Where a margin is 0, one side being all foreground or all background, the
    formula is 0 / 0: then the score is 1 if the sides agree in every voxel and else 0.

    Range -1 to 1; never NaN: 1 when neither side has foreground.

    References
    ----------
    .. [1] B. Matthews, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme",
       Biochim. Biophys. Acta 405 (1975) 442-451.
    """

    kind: Literal["matthews_correlation"] = "matthews_correlation"
    value_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    both_empty: ClassVar[float] = 1.0

    def measure(self, pair: LabelPair) -> PixelCounts:
        return count_pixels(pair)

    def score(self, counts: PixelCounts) -> float:
        return matthews(counts.tp, counts.fp, counts.fn, counts.tn)
