"""Similarity of grey values with depth, region by region."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval as Within
from jaxtyping import Float64

from ...core.errors import InputError
from ...core.rng import Key
from ..features import PictureSet
from ..statistics import Interval, bootstrap_interval
from ._depth import THIRDS, DepthScores, mean_of_defined, thirds_of, volumes_in_pairs
from ._regions import REGIONS, regions_of
from ._slices import Volume, similarities
from .base import AbstractRealismMetric, registry


@registry.register
class DepthWasserstein(AbstractRealismMetric[DepthScores]):
    """Wasserstein similarity of the grey values in each slice of cells, between cells, and outside of clusters [1]_.

    In each region and slice 1 - W(reference, candidate) / W(reference, black), where W is the Wasserstein-1 distance
    of the values, and that to a black image is the mean of the reference. The score is the mean over depth, then
    over regions, then over pairs; `parts` has each region in each third of the depth. Each volume has the regions of
    its own labels. Deviations from the published scripts: volumes of a pair are compared in the slices that both have,
    and a cell near the sides is not counted as background as well.

    Range minus infinity to 1; 1 for a set against itself. NaN when no pair has a region in a slice of both volumes
    that is not black in the reference.

    References
    ----------
    .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures", PLOS ONE 18 (2023)
       e0283828.
    """

    kind: Literal["depth_wasserstein"] = "depth_wasserstein"
    value_range: ClassVar[tuple[float, float]] = (-math.inf, 1.0)
    is_paired: ClassVar[bool] = True

    closing_px: Annotated[int, Within(ge=0, le=120)] = 15
    """Steps of the closing that joins cells to a cluster."""

    margin_px: Annotated[int, Within(ge=0, le=120)] = 2
    """Steps by which both backgrounds are eroded, to keep clear of blurred cells."""

    is_padded_sideways: bool = False
    """Continue volumes by background sideways too. Without it, as published, clusters are eroded where they are cut."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> DepthScores:
        volumes_in_pairs(reference, candidate, "the Wasserstein similarity with depth")
        if reference.labels is None or candidate.labels is None:
            raise InputError(
                "the Wasserstein similarity with depth needs the labels of every volume of both sets"
            )
        pairs = []
        for i in range(len(reference)):
            ours, theirs = (
                Volume(pictures.images[i][0], self._regions(labels[i]), pictures.data_range)
                for pictures, labels in ((reference, reference.labels), (candidate, candidate.labels))
            )
            pairs.append(similarities(ours, theirs))
        by_depth = np.full((len(pairs), len(REGIONS), max(pair.shape[1] for pair in pairs)), np.nan)
        for row, pair in zip(by_depth, pairs, strict=True):
            row[:, : pair.shape[1]] = pair
        return DepthScores(by_depth)

    def _regions(self, labels: np.ndarray) -> np.ndarray:
        return regions_of(
            labels > 0, self.closing_px, self.margin_px, is_padded_sideways=self.is_padded_sideways
        )

    def score(self, measured: DepthScores) -> float:
        return float(mean_of_defined(_of_pairs(measured), 0))

    def parts(self, measured: DepthScores) -> dict[str, float]:
        thirds = {
            region: mean_of_defined(thirds_of(measured.by_depth[:, i]), 0) for i, region in enumerate(REGIONS)
        }
        return {
            f"{region}/{third}": float(values[j])
            for region, values in thirds.items()
            for j, third in enumerate(THIRDS)
        }

    def interval(
        self, measured: DepthScores, *, key: Key, level: float = 0.95, n_resamples: int = 500
    ) -> Interval:
        return bootstrap_interval(_of_pairs(measured), key=key, level=level, n_resamples=n_resamples)


def _of_pairs(measured: DepthScores) -> Float64[np.ndarray, " n"]:
    return mean_of_defined(mean_of_defined(measured.by_depth, 2), 1)
