"""How far outlines are apart at their worst, outliers aside."""

import math
from typing import ClassVar, Literal

import numpy as np

from ..counts import MeanCounts, ratio
from ._pair import LabelPair, SurfaceOf
from .base import AbstractMetric, registry


@registry.register
class Hausdorff95(AbstractMetric[MeanCounts]):
    """95th percentile of the distance between outlines, the larger of both directions (HD95) [1]_ [2]_.

    In um; in voxels where the pair has no voxel size. An outline is the voxels of an object that have a face
    neighbour outside of it; the edge of the image is no outline. Voxels weigh the same, whatever their shape. The
    pooled score is the mean over images, or over objects.

    Range 0 to infinity, lower is better; NaN when either side has no outline, being empty or full, or nothing
    matches. An empty prediction is thus left out and not punished: read it beside `boundary_f1`.

    References
    ----------
    .. [1] D. Huttenlocher, G. Klanderman, W. Rucklidge, "Comparing images using the Hausdorff distance", IEEE Trans.
       Pattern Anal. Mach. Intell. 15 (1993) 850-863.
    .. [2] L. Maier-Hein et al., "Metrics reloaded: recommendations for image analysis validation", Nat. Methods 21
       (2024) 195-212; the percentile of each direction, then the larger.
    """

    kind: Literal["hausdorff95"] = "hausdorff95"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "um"

    of: SurfaceOf = "foreground"
    """Whose outlines: of the two foregrounds, or of every two objects that match at an IoU of at least 0.5."""

    def measure(self, pair: LabelPair) -> MeanCounts:
        values = [
            max(s.reference.percentile_um(95), s.prediction.percentile_um(95))
            for s in pair.surfaces(self.of)
            if s.is_complete
        ]
        return MeanCounts(float(np.sum(values)), len(values))

    def score(self, counts: MeanCounts) -> float:
        return ratio(counts.total, counts.n)
