"""How far outlines are apart on average."""

import math
from typing import ClassVar, Literal

import numpy as np

from ..counts import MeanCounts, ratio
from ._pair import LabelPair, SurfaceOf
from .base import AbstractMetric, registry


@registry.register
class MeanSurfaceDistance(AbstractMetric[MeanCounts]):
    """Mean distance of the voxels of both outlines to the other outline (ASSD) [1]_.

    In um; in voxels where the pair has no voxel size. An outline is the voxels of an object that have a face
    neighbour outside of it; the edge of the image is no outline. Voxels weigh the same, whatever their shape. The
    pooled score is the mean over images, or over objects.

    Range 0 to infinity, lower is better; NaN when either side has no outline, being empty or full, or nothing
    matches. An empty prediction is thus left out and not punished: read it beside `boundary_f1`.

    References
    ----------
    .. [1] T. Heimann et al., "Comparison and evaluation of methods for liver segmentation from CT datasets", IEEE
       Trans. Med. Imaging 28 (2009) 1251-1265.
    """

    kind: Literal["mean_surface_distance"] = "mean_surface_distance"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    unit: ClassVar[str] = "um"

    of: SurfaceOf = "foreground"
    """Whose outlines: of the two foregrounds, or of every two objects that match at an IoU of at least 0.5."""

    def measure(self, pair: LabelPair) -> MeanCounts:
        values = [
            (s.reference.total_um + s.prediction.total_um) / (s.reference.n + s.prediction.n)
            for s in pair.surfaces(self.of)
            if s.is_complete
        ]
        return MeanCounts(float(np.sum(values)), len(values))

    def score(self, counts: MeanCounts) -> float:
        return ratio(counts.total, counts.n)
