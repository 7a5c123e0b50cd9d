"""Panoptic quality of the objects of one class."""

from typing import Annotated, ClassVar, Literal

from annotated_types import Interval
from pydantic import PositiveInt

from ..counts import ObjectCounts, ratio
from ._classes import count_classes
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class ClassPq(AbstractMetric[ObjectCounts]):
    """Panoptic quality of one class: its objects on both sides, and no other [1]_.

    An object that was found and given another class is missed in its own class and invented in the other.

    Range 0 to 1; NaN when neither side has an object of the class, 0 when nothing matches. Needs the classes of the
    objects.

    References
    ----------
    .. [1] A. Kirillov et al., "Panoptic segmentation", CVPR 2019, Eq. 1.
    """

    kind: Literal["class_pq"] = "class_pq"
    always_named: ClassVar[tuple[str, ...]] = ("class_id",)
    needs_classes: ClassVar[bool] = True

    class_id: PositiveInt = 1
    """The class."""

    iou_above: Annotated[float, Interval(ge=0.5, lt=1)] = 0.5
    """Two objects match above this IoU, not at it."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_classes(pair, self.iou_above).of_class(self.class_id)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(counts.iou_sum, counts.tp + (counts.fp + counts.fn) / 2)
