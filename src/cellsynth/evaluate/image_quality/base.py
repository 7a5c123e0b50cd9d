"""What every metric of an image against an aligned image is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from ...core.registry import Registry
from ..counts import AbstractCounts, ratio
from ..scored import AbstractScored
from ._pair import ImagePair

C = TypeVar("C", bound=AbstractCounts)

registry: "Registry[AbstractImageMetric]" = Registry(
    "cellsynth.evaluate.image_quality", "image quality metric"
)


class AbstractImageMetric(AbstractScored, ABC, Generic[C]):
    """A number that says how well an image agrees with an aligned reference.

    `measure` gives what one image contributes; contributions of several images add; `score` turns them into the
    number. Only aligned pairs make sense: two images of the same place, or an image and its reconstruction.
    """

    unit: ClassVar[str] = ""
    """Unit of the score; empty for a plain number."""

    @abstractmethod
    def measure(self, pair: ImagePair) -> C:
        """What one image contributes."""

    @abstractmethod
    def score(self, counts: C) -> float:
        """Score of the contribution of one image, or of the sum over several."""


@dataclass(frozen=True)
class ScoreSum(AbstractCounts):
    """Scores of images, which have a mean and no pooled form."""

    total: float
    """Sum of the scores."""

    n: float
    """Images."""

    @property
    def mean(self) -> float:
        """Mean score; NaN without an image."""
        return ratio(self.total, self.n)


@dataclass(frozen=True)
class ErrorSums(AbstractCounts):
    """Sums over the values of both images, scaled to [0, 1]."""

    squared_error: float
    reference: float
    reference_squared: float

    n: float
    """Values: voxels times channels."""


def sum_errors(pair: ImagePair) -> ErrorSums:
    """Sums for metrics of the squared error."""
    reference, error = pair.reference.ravel(), (pair.candidate - pair.reference).ravel()
    return ErrorSums(
        squared_error=float(error @ error),
        reference=float(reference.sum()),
        reference_squared=float(reference @ reference),
        n=reference.size,
    )
