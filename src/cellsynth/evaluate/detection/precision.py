"""Precision of points within a radius."""

from typing import ClassVar, Literal

from pydantic import PositiveFloat

from ._pair import LengthUnit, PointPair
from .base import AbstractDetectionMetric, PointCounts, count_points, registry, share


@registry.register
class Precision(AbstractDetectionMetric[PointCounts]):
    """Share of the predicted points that match a reference point: TP / (TP + FP).

    Points match one to one within `radius`, as many as possible. Swapping the two sides gives `recall`.

    Range 0 to 1; 1 when neither side has a point, 0 when one side has none.

    References
    ----------
    .. [1] C. van Rijsbergen, "Information retrieval", 2nd ed., Butterworths 1979, chapter 7; matching within a radius
       as in S. Graham et al., Med. Image Anal. 58 (2019) 101563.
    """

    kind: Literal["precision"] = "precision"
    always_named: ClassVar[tuple[str, ...]] = ("radius", "radius_unit")

    radius: PositiveFloat = 12.0
    """Largest distance of two points that may match. 12 px is the custom for nuclei at 40x."""

    radius_unit: LengthUnit = "px"
    """Unit of the radius: `px`, or `um`, which does not depend on the magnification."""

    def measure(self, pair: PointPair) -> PointCounts:
        return count_points(pair, self.radius, self.radius_unit)

    def score(self, counts: PointCounts) -> float:
        return share(counts.tp, counts.tp + counts.fp, counts.fn)
