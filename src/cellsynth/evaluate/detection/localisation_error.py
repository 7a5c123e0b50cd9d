"""Distance of matched points."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import PositiveFloat

from ..counts import AbstractCounts, ratio
from ._pair import LengthUnit, PointPair
from .base import AbstractDetectionMetric, registry


@dataclass(frozen=True)
class DistanceCounts(AbstractCounts):
    """Matched pairs and their distances."""

    distance_sum: float
    """Sum over the matched pairs."""

    n: float
    """Matched pairs."""


@registry.register
class LocalisationError(AbstractDetectionMetric[DistanceCounts]):
    """Mean distance of the matched pairs, in `radius_unit`.

    It says nothing of points without a partner, and cannot exceed the radius: read it beside `f1`.

    Range 0 to infinity, lower is better; NaN when no pair matches.

    References
    ----------
    .. [1] D. Sage et al., "Quantitative evaluation of software packages for single-molecule localization microscopy",
       Nat. Methods 12 (2015) 717-724: the distance of matched pairs; here its mean, not its root mean square.
    """

    kind: Literal["localisation_error"] = "localisation_error"
    higher_is_better: ClassVar[bool] = False
    is_length: ClassVar[bool] = True
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    always_named: ClassVar[tuple[str, ...]] = ("radius", "radius_unit")

    radius: PositiveFloat = 12.0
    """Largest distance of two points that may match. 12 px is the custom for nuclei at 40x."""

    radius_unit: LengthUnit = "px"
    """Unit of the radius and of the score: `px`, or `um`, which does not depend on the magnification."""

    def measure(self, pair: PointPair) -> DistanceCounts:
        matching = pair.match(self.radius, self.radius_unit)
        return DistanceCounts(float(matching.distances.sum()), len(matching))

    def score(self, counts: DistanceCounts) -> float:
        return ratio(counts.distance_sum, counts.n)
