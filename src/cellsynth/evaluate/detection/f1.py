"""F1 of points within a radius."""

from typing import ClassVar, Literal

from pydantic import PositiveFloat

from ._pair import LengthUnit, PointPair
from .base import AbstractDetectionMetric, PointCounts, count_points, registry, share


@registry.register
class F1(AbstractDetectionMetric[PointCounts]):
    """Harmonic mean of the precision and recall of points: 2 TP / (2 TP + FP + FN).

    Points match one to one within `radius`, as many as possible. HoVer-Net calls it F_d.

    Range 0 to 1; 1 when neither side has a point, 0 when one side has none.

    References
    ----------
    .. [1] S. Graham et al., "HoVer-Net: simultaneous segmentation and classification of nuclei in multi-tissue
       histology images", Med. Image Anal. 58 (2019) 101563, section 4.3: F_d, with a radius of 12 px.
    """

    kind: Literal["f1"] = "f1"
    always_named: ClassVar[tuple[str, ...]] = ("radius", "radius_unit")

    radius: PositiveFloat = 12.0
    """Largest distance of two points that may match. 12 px is the custom for nuclei at 40x."""

    radius_unit: LengthUnit = "px"
    """Unit of the radius: `px`, or `um`, which does not depend on the magnification."""

    def measure(self, pair: PointPair) -> PointCounts:
        return count_points(pair, self.radius, self.radius_unit)

    def score(self, counts: PointCounts) -> float:
        return share(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn, 0)
