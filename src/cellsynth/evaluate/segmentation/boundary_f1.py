"""Agreement of outlines within a tolerance."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import NonNegativeFloat

from ..counts import AbstractCounts, ratio
from ._pair import LabelPair, SurfaceOf
from .base import AbstractMetric, registry


@dataclass(frozen=True)
class OutlineCounts(AbstractCounts):
    """Voxels of outlines."""

    near_reference: float
    """Of the reference, that have the other outline within the tolerance."""

    n_reference: float

    near_prediction: float
    """Of the prediction, that have the other outline within the tolerance."""

    n_prediction: float


@registry.register
class BoundaryF1(AbstractMetric[OutlineCounts]):
    """Harmonic mean of the shares of either outline that lie within a tolerance of the other [1]_ [2]_.

    The tolerance is in um; in voxels where the pair has no voxel size. An outline is the voxels of an object that
    have a face neighbour outside of it; the edge of the image is no outline. With `of: objects` what does not match
    is not judged.

    Range 0 to 1; NaN when neither side has an outline, 0 when one side has none.

    References
    ----------
    .. [1] G. Csurka, D. Larlus, F. Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC
       2013.
    .. [2] D. Martin, C. Fowlkes, J. Malik, "Learning to detect natural image boundaries using local brightness,
       color, and texture cues", IEEE Trans. Pattern Anal. Mach. Intell. 26 (2004) 530-549; without their one-to-one
       assignment of boundary voxels.
    """

    kind: Literal["boundary_f1"] = "boundary_f1"
    always_named: ClassVar[tuple[str, ...]] = ("tolerance_um",)

    tolerance_um: NonNegativeFloat = 1.0
    """Largest distance at which outlines agree; in voxels where the voxel size is not known."""

    of: SurfaceOf = "foreground"
    """Whose outlines: of the two foregrounds, or of every two objects that match at an IoU of at least 0.5."""

    def measure(self, pair: LabelPair) -> OutlineCounts:
        reach = self.tolerance_um * (
            1 + 1e-9
        )  # a distance that equals the tolerance, but for rounding, is within
        total = OutlineCounts(0.0, 0.0, 0.0, 0.0)
        for surface in pair.surfaces(self.of):
            total += OutlineCounts(
                near_reference=float(surface.reference.n_within(reach)),
                n_reference=float(surface.reference.n),
                near_prediction=float(surface.prediction.n_within(reach)),
                n_prediction=float(surface.prediction.n),
            )
        return total

    def score(self, counts: OutlineCounts) -> float:
        if not counts.n_reference or not counts.n_prediction:
            return 0.0 if counts.n_reference or counts.n_prediction else float("nan")
        recall = counts.near_reference / counts.n_reference
        precision = counts.near_prediction / counts.n_prediction
        return 0.0 if recall + precision == 0 else ratio(2 * precision * recall, precision + recall)
