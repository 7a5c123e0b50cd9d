"""Panoptic quality averaged over classes."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval

from ..counts import ratio
from ._classes import ClassCounts, count_classes
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class Mpq(AbstractMetric[ClassCounts]):
    """Mean over the classes that the reference has of the panoptic quality of each (mPQ) [1]_.

    As PanNuke has it, a class that only the prediction has does not count, so inventing a class that is not there
    is not punished in this image. The mean over images is the mPQ of the paper, which takes it over the images of each
    tissue and then over tissues; the pooled score, from the counts of all images, is the mPQ+ of later challenges [2]_.

    Range 0 to 1; NaN when the reference has no object of any class. Needs the classes of the objects.

    References
    ----------
    .. [1] J. Gamper et al., "PanNuke dataset extension, insights and baselines", arXiv 2003.10778 (2020).
    .. [2] S. Graham et al., "CoNIC: colon nuclei identification and counting challenge 2022", arXiv 2111.14485
       (2021).
    """

    kind: Literal["mpq"] = "mpq"
    needs_classes: ClassVar[bool] = True

    iou_above: Annotated[float, Interval(ge=0.5, lt=1)] = 0.5
    """Two objects match above this IoU, not at it."""

    def measure(self, pair: LabelPair) -> ClassCounts:
        return count_classes(pair, self.iou_above)

    def score(self, counts: ClassCounts) -> float:
        classes = [counts.of_class(c) for c in sorted(counts.n_reference)]
        qualities = [ratio(c.iou_sum, c.tp + (c.fp + c.fn) / 2) for c in classes]
        return float(np.mean(qualities)) if qualities else float("nan")
