"""F1 of the points of a class: HoVer-Net's score of classification within detection."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat

from ._pair import LengthUnit, PointPair
from ._typed import TypedCounts, count_classes
from .base import AbstractDetectionMetric, registry


@registry.register
class ClassF1(AbstractDetectionMetric[TypedCounts]):
    """F1 of detection and classification together [1]_, of one class or the mean over the classes.

    Points match one to one within `radius` whatever their classes. With c for a class and d for detection:
    2 (TPc + TNc) / (2 (TPc + TNc) + 2 FPc + 2 FNc + FPd + FNd). TPc are the pairs of class c on both sides, TNc
    those of c on neither, FPc those of c in the prediction only, FNc in the reference only; FPd and FNd are the
    points without a partner.

    Range 0 to 1; 1 when neither side has a point, 0 when one side has none. With `counted: own_class` it is NaN when
    the class that is asked for occurs on neither side.

    References
    ----------
    .. [1] S. Graham et al., "HoVer-Net: simultaneous segmentation and classification of nuclei in multi-tissue
       histology images", Med. Image Anal. 58 (2019) 101563, section 4.3; weights 2, 2, 1, 1.
    """

    kind: Literal["class_f1"] = "class_f1"
    always_named: ClassVar[tuple[str, ...]] = ("radius", "radius_unit")

    class_id: int | None = None
    """Class that is scored; none scores every class that occurs on either side and takes the mean."""

    counted: Literal["all", "own_class"] = "all"
    """`all` is the formula as printed: pairs of other classes are right (TNc), and points without a partner count
    whatever their class. `own_class` leaves out both, which published programs mostly do; a rare class then does not
    profit from the others."""

    radius: PositiveFloat = 12.0
    """Largest distance of two points that may match. 12 px is the custom for nuclei at 40x."""

    radius_unit: LengthUnit = "px"
    """Unit of the radius: `px`, or `um`, which does not depend on the magnification."""

    def measure(self, pair: PointPair) -> TypedCounts:
        return count_classes(pair, self.radius, self.radius_unit)

    def score(self, counts: TypedCounts) -> float:
        if not counts.classes:
            return 1.0
        classes = counts.classes if self.class_id is None else [self.class_id]
        return float(np.mean([self._score_class(counts, c) for c in classes]))

    def _score_class(self, counts: TypedCounts, c: int) -> float:
        is_own = self.counted == "own_class"
        right = wrong = 0
        for (reference, prediction), n in counts.pairs.items():
            if (reference == c) != (prediction == c):
                wrong += n
            elif reference == c or not is_own:
                right += n
        lost = [side[c] if is_own else side.total() for side in (counts.missed, counts.invented)]
        total = 2 * right + 2 * wrong + sum(lost)
        return 2 * right / total if total else float("nan")
