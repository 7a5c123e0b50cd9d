"""Share of matched points whose class is right."""

from typing import ClassVar, Literal

from pydantic import PositiveFloat

from ..counts import ratio
from ._pair import LengthUnit, PointPair
from ._typed import TypedCounts, count_classes
from .base import AbstractDetectionMetric, registry


@registry.register
class ClassAccuracy(AbstractDetectionMetric[TypedCounts]):
    """Share of the matched pairs with the same class on both sides.

    Points match one to one within `radius` whatever their classes. It says nothing of points without a partner:
    read it beside `f1`, or take `class_f1`.

    Range 0 to 1; NaN when no pair matches.

    References
    ----------
    .. [1] S. Graham et al., "HoVer-Net: simultaneous segmentation and classification of nuclei in multi-tissue
       histology images", Med. Image Anal. 58 (2019) 101563, section 4.3.
    """

    kind: Literal["class_accuracy"] = "class_accuracy"
    always_named: ClassVar[tuple[str, ...]] = ("radius", "radius_unit")

    radius: PositiveFloat = 12.0
    """Largest distance of two points that may match. 12 px is the custom for nuclei at 40x."""

    radius_unit: LengthUnit = "px"
    """Unit of the radius: `px`, or `um`, which does not depend on the magnification."""

    def measure(self, pair: PointPair) -> TypedCounts:
        return count_classes(pair, self.radius, self.radius_unit)

    def score(self, counts: TypedCounts) -> float:
        right = sum(n for (reference, prediction), n in counts.pairs.items() if reference == prediction)
        return ratio(right, counts.pairs.total())
