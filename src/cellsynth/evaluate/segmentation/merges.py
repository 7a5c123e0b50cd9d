"""Cells that were taken for one."""

import math
from typing import ClassVar, Literal

import numpy as np

from ..counts import EventCounts, ratio
from ._outcomes import classify_objects, count_events
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class Merges(AbstractMetric[EventCounts]):
    """Predicted objects in which two or more reference objects lie, per image [1]_.

    An object lies in another that holds more than half of its voxels. A matched object that swallowed a small
    neighbour merges as well. Swapping the sides gives `splits`.

    Range 0 to infinity, lower is better; never NaN: 0 when neither side has an object.

    References
    ----------
    .. [1] J. Caicedo et al., "Evaluation of deep learning strategies for nucleus segmentation in fluorescence
       images", Cytometry A 95 (2019) 952-965; the overlap that counts is our choice.
    """

    kind: Literal["merges"] = "merges"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "per image"
    both_empty: ClassVar[float] = 0.0

    def measure(self, pair: LabelPair) -> EventCounts:
        return count_events(np.count_nonzero(classify_objects(pair).is_merge))

    def score(self, counts: EventCounts) -> float:
        return ratio(counts.n, counts.n_images)
