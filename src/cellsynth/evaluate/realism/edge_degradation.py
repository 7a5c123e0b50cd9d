"""Loss of sharpness with depth, compared between volumes."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval as Within
from jaxtyping import Float64, Shaped
from pydantic import NonNegativeFloat, PositiveInt

from ...core.errors import InputError
from ...core.rng import Key
from ..features import PictureSet
from ..statistics import Interval, bootstrap_interval
from ._depth import THIRDS, DepthScores, mean_of_defined, thirds_of, volumes_in_pairs
from ._edges import edge_quantiles
from .base import AbstractRealismMetric, registry

REFERENCE, CANDIDATE = 0, 1
"""Regions of the scores: the curve of either side."""


@registry.register
class EdgeDegradation(AbstractRealismMetric[DepthScores]):
    """Difference of the curves of sharpness over depth of two volumes [1]_, mean over depth and over pairs.

    The sharpness of a slice in a column of tissue is a high quantile of its edge magnitude. Each column is followed
    from its sharpest slice down; the curve of a volume is the mean over its columns that reach a depth. `parts` has the
    mean absolute difference in each third of the depth that any pair reaches. The volumes of a pair need not have
    one shape. Deviations from the published scripts: sides are cropped each by its own remainder, and not to nothing
    where there is none; a volume without a usable column gives NaN and no error.

    Range 0 to infinity, lower is better; 0 for a set against itself, NaN when no pair has a column on both sides that
    is deep and sharp enough.

    References
    ----------
    .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures", PLOS ONE 18 (2023)
       e0283828.
    """

    kind: Literal["edge_degradation"] = "edge_degradation"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    is_paired: ClassVar[bool] = True

    column_px: Annotated[int, Within(ge=2)] = 100
    """Side of a column, along Y and X."""

    smoothing_px: NonNegativeFloat = 3.0
    """Standard deviation of the Gaussian within a slice that hides noise."""

    quantile: Annotated[float, Within(ge=0, le=1)] = 0.95
    """Of the edge magnitude in a slice of a column."""

    n_slices_min: PositiveInt = 50
    """A column with fewer slices from its sharpest one down is left out."""

    faintest: NonNegativeFloat = 0.026
    """A column whose sharpest slice is below this is left out: there is nothing in it. For values of 0 to 1."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> DepthScores:
        volumes_in_pairs(reference, candidate, "edge degradation")
        curves = [
            [self.curve(image[0], pictures.data_range) for image in pictures.images]
            for pictures in (reference, candidate)
        ]
        longest = max(len(curve) for side in curves for curve in side)
        by_depth = np.full((len(reference), 2, longest), np.nan)
        for side, of_side in enumerate(curves):
            for i, curve in enumerate(of_side):
                by_depth[i, side, : len(curve)] = curve
        return DepthScores(by_depth)

    def curve(
        self, volume: Shaped[np.ndarray, "z y x"], data_range: tuple[float, float] = (0.0, 1.0)
    ) -> Float64[np.ndarray, " k"]:
        """Sharpness below the sharpest slice, mean over columns; empty where no column is deep and sharp enough.

        Parameters
        ----------
        volume
            Values in `data_range`; the curve is for values of 0 to 1.
        """
        if min(volume.shape[1:]) < self.column_px:
            raise InputError(
                f"a volume of {volume.shape} has no column of {self.column_px} by {self.column_px}; take a smaller "
                "column_px"
            )
        sharpness = edge_quantiles(volume, self.column_px, self.smoothing_px, self.quantile)
        sharpness /= data_range[1] - data_range[0]  # a gradient does not see where values start
        columns = sharpness.reshape(len(volume), -1).T
        below = [column[np.argmax(column) :] for column in columns if column.max() >= self.faintest]
        kept = [column for column in below if len(column) >= self.n_slices_min]
        curves = np.full((len(kept), max(map(len, kept), default=0)), np.nan)
        for row, column in zip(curves, kept, strict=True):
            row[: len(column)] = column
        return mean_of_defined(curves, 0)

    def score(self, measured: DepthScores) -> float:
        return float(mean_of_defined(mean_of_defined(_differences(measured), 1), 0))

    def parts(self, measured: DepthScores) -> dict[str, float]:
        values = mean_of_defined(thirds_of(_differences(measured)), 0)
        return {name: float(value) for name, value in zip(THIRDS, values, strict=True)}

    def interval(
        self, measured: DepthScores, *, key: Key, level: float = 0.95, n_resamples: int = 500
    ) -> Interval:
        values = mean_of_defined(_differences(measured), 1)
        return bootstrap_interval(values, key=key, level=level, n_resamples=n_resamples)


def _differences(measured: DepthScores) -> Float64[np.ndarray, "n k"]:
    """Absolute difference of both curves of each pair, as deep as both reach in any pair."""
    differences = np.abs(measured.by_depth[:, CANDIDATE] - measured.by_depth[:, REFERENCE])
    is_reached = ~np.isnan(differences).all(axis=0)
    return differences[:, : int(np.flatnonzero(is_reached)[-1]) + 1 if is_reached.any() else 0]
