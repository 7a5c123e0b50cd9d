"""Recall of objects at one IoU threshold."""

from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class Recall(AbstractMetric[ObjectCounts]):
    """Share of the reference objects that match a predicted object: TP / (TP + FN) [1]_.

    Objects match one to one at an IoU of at least `iou`. Swapping the two sides gives `precision`.

    Range 0 to 1; NaN when there is no reference object, 0 when nothing was predicted.

    References
    ----------
    .. [1] J. Caicedo et al., "Evaluation of deep learning strategies for nucleus segmentation in fluorescence
       images", Cytometry A 95 (2019) 952-965.
    """

    kind: Literal["recall"] = "recall"
    always_named: ClassVar[tuple[str, ...]] = ("iou",)

    iou: Annotated[float, Interval(gt=0, le=1)] = 0.5
    """Two objects match from this IoU up."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(counts.tp, counts.tp + counts.fn)
