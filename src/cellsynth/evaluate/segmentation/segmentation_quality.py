"""Segmentation quality: the part of panoptic quality that says how well found objects are outlined."""

from typing import Annotated, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class SegmentationQuality(AbstractMetric[ObjectCounts]):
    """Mean IoU of the matched objects [1]_.

    Range `iou_above` to 1; NaN when nothing matches. A method that finds one easy object can have the best
    score, so read it beside `detection_quality`.

    References
    ----------
    .. [1] A. Kirillov et al., "Panoptic segmentation", CVPR 2019, Eq. 2.
    """

    kind: Literal["segmentation_quality"] = "segmentation_quality"

    iou_above: Annotated[float, Interval(ge=0.5, lt=1)] = 0.5
    """Two objects match above this IoU, not at it. From 0.5 up a match is unique."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou_above, is_strict=True)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(counts.iou_sum, counts.tp)
