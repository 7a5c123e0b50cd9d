"""Average precision of objects at one IoU threshold, as in StarDist and the 2018 Data Science Bowl."""

from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from ..counts import ObjectCounts, ratio
from ._pair import LabelPair
from .base import AbstractMetric, count_objects, registry


@registry.register
class AveragePrecision(AbstractMetric[ObjectCounts]):
    """Matched objects over all there are on either side: TP / (TP + FP + FN) [1]_.

    No area under a precision-recall curve, in spite of the name that the field gave it. Objects match one to
    one at an IoU of at least `iou`, as in StarDist; the Data Science Bowl asked for more than `iou`, which
    differs only where an IoU equals the threshold exactly.

    Range 0 to 1; NaN when neither side has an object, 0 when one side has none.

    References
    ----------
    .. [1] U. Schmidt et al., "Cell detection with star-convex polygons", MICCAI 2018, section 3.
    .. [2] J. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl",
       Nat. Methods 16 (2019) 1247-1253.
    """

    kind: Literal["average_precision"] = "average_precision"
    always_named: ClassVar[tuple[str, ...]] = ("iou",)

    iou: Annotated[float, Interval(gt=0, le=1)] = 0.5
    """Two objects match from this IoU up."""

    def measure(self, pair: LabelPair) -> ObjectCounts:
        return count_objects(pair, self.iou)

    def score(self, counts: ObjectCounts) -> float:
        return ratio(counts.tp, counts.tp + counts.fp + counts.fn)
