"""Detection quality: the part of panoptic quality that says how many objects were found."""

from typing import Annotated, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class DetectionQuality(AbstractMetric[ObjectCounts]):
    """TP over TP + FP/2 + FN/2, which is F1 with matches strictly above the threshold [1]_.

    Called recognition quality (RQ) in the paper and DQ in pathology.

    Range 0 to 1; NaN when neither side has an object, 0 when nothing matches.

    References
    ----------
    .. [1] A. Kirillov et al., "Panoptic segmentation", CVPR 2019, Eq. 2.
    """

    kind: Literal["detection_quality"] = "detection_quality"

    iou_above: Annotated[float, Interval(ge=0.5, lt=1)] = 0.5
    """Two objects match above this IoU, not at it. From 0.5 up a match is unique."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou_above, is_strict=True)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(counts.tp, counts.tp + (counts.fp + counts.fn) / 2)
