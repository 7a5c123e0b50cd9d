"""Cells that were not found."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval

from ..counts import EventCounts, ratio
from ._outcomes import classify_objects, count_events
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class Misses(AbstractMetric[EventCounts]):
    """Reference objects that are neither matched, split nor merged, per image [1]_.

    The outcomes are those of the table of objects. Swapping the sides gives `false_alarms`.

    Range 0 to infinity, lower is better; never NaN: 0 when neither side has an object.

    References
    ----------
    .. [1] J. Caicedo et al., "Evaluation of deep learning strategies for nucleus segmentation in fluorescence
       images", Cytometry A 95 (2019) 952-965; split and merged objects are no misses.
    """

    kind: Literal["misses"] = "misses"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "per image"
    both_empty: ClassVar[float] = 0.0

    iou: Annotated[float, Interval(gt=0, le=1)] = 0.5
    """Two objects match from this IoU up."""

    def measure(self, pair: LabelPair) -> EventCounts:
        return count_events(np.count_nonzero(classify_objects(pair, self.iou).reference == "miss"))

    def score(self, counts: EventCounts) -> float:
        return ratio(counts.n, counts.n_images)
