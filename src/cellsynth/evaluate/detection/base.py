"""What every metric of points against points is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from ...core.registry import Registry
from ..counts import AbstractCounts
from ..scored import AbstractScored
from ._pair import LengthUnit, PointPair

C = TypeVar("C", bound=AbstractCounts)

registry: "Registry[AbstractDetectionMetric]" = Registry("cellsynth.evaluate.detection", "detection metric")


class AbstractDetectionMetric(AbstractScored, ABC, Generic[C]):
    """A number that says how well predicted points agree with those of a reference.

    `measure` counts on one image; counts of several images add; `score` turns counts into the number. Undefined
    is NaN. Where neither side has a point the prediction is perfect: saying that an empty image is empty is right,
    and it adds nothing to the counts of other images.
    """

    is_length: ClassVar[bool] = False
    """The score is a length, in the unit of the radius."""

    @property
    def unit(self) -> str:
        """Unit of the score; empty for a plain number."""
        return str(getattr(self, "radius_unit", "")) if self.is_length else ""

    @abstractmethod
    def measure(self, pair: PointPair) -> C:
        """Count on one image."""

    @abstractmethod
    def score(self, counts: C) -> float:
        """Score of the counts of one image, or of the sum over several."""


@dataclass(frozen=True)
class PointCounts(AbstractCounts):
    """Points matched one to one within a radius."""

    tp: float
    """Matched pairs."""

    fp: float
    """Predicted points without a partner."""

    fn: float
    """Reference points without a partner."""


def count_points(pair: PointPair, radius: float, unit: LengthUnit) -> PointCounts:
    """Points matched one to one within `radius`."""
    tp = len(pair.match(radius, unit))
    return PointCounts(tp=tp, fp=len(pair.prediction) - tp, fn=len(pair.reference) - tp)


def share(tp: float, n: float, n_other: float) -> float:
    """`tp / n`; where `n` is 0: perfect if the other side has no point either, else 0."""
    if n:
        return float(tp) / float(n)
    return 0.0 if n_other else 1.0
