"""Panoptic quality: detection and outline of objects in one number."""

from typing import Annotated, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class PanopticQuality(AbstractMetric[ObjectCounts]):
    """Summed IoU of matched objects over TP + FP/2 + FN/2 [1]_.

    The product of `detection_quality` and `segmentation_quality`.

    Range 0 to 1; NaN when neither side has an object, 0 when nothing matches.

    References
    ----------
    .. [1] A. Kirillov et al., "Panoptic segmentation", CVPR 2019, Eq. 1; one class, background left out.
    """

    kind: Literal["panoptic_quality"] = "panoptic_quality"

    iou_above: Annotated[float, Interval(ge=0.5, lt=1)] = 0.5
    """Two objects match above this IoU, not at it. From 0.5 up a match is unique."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou_above, is_strict=True)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(counts.iou_sum, counts.tp + (counts.fp + counts.fn) / 2)
