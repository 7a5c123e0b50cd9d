"""F1 of objects at one IoU threshold."""

from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class F1(AbstractMetric[ObjectCounts]):
    """Harmonic mean of the precision and recall of objects: 2 TP / (2 TP + FP + FN) [1]_.

    Objects match one to one at an IoU of at least `iou`. Equals 2 AP / (1 + AP) of `average_precision`.

    Range 0 to 1; NaN when neither side has an object, 0 when one side has none.

    References
    ----------
    .. [1] J. Caicedo et al., "Evaluation of deep learning strategies for nucleus segmentation in fluorescence
       images", Cytometry A 95 (2019) 952-965.
    """

    kind: Literal["f1"] = "f1"
    always_named: ClassVar[tuple[str, ...]] = ("iou",)

    iou: Annotated[float, Interval(gt=0, le=1)] = 0.5
    """Two objects match from this IoU up."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)
