"""Panoptic quality whatever the classes, by the convention of PanNuke."""

from typing import Annotated, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class Bpq(AbstractMetric[ObjectCounts]):
    """Panoptic quality of all objects as of one class (bPQ) [1]_.

    As PanNuke has it, an image without a reference object is left out, whatever was predicted; `panoptic_quality`
    is 0 there. In every other case the two are equal.

    Range 0 to 1; NaN when the reference has no object, 0 when nothing matches.

    References
    ----------
    .. [1] J. Gamper et al., "PanNuke dataset extension, insights and baselines", arXiv 2003.10778 (2020).
    """

    kind: Literal["bpq"] = "bpq"

    iou_above: Annotated[float, Interval(ge=0.5, lt=1)] = 0.5
    """Two objects match above this IoU, not at it."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou_above, is_strict=True)

    def score(self, counts: ObjectCounts) -> float:
        if counts.tp + counts.fn == 0:
            return float("nan")
        return ratio(counts.iou_sum, counts.tp + (counts.fp + counts.fn) / 2)
