"""Distances from one outline to another, each kept once with how often it occurs."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, eq=False)
class Distances:
    """From the voxels of one outline to the nearest of another, each distance once."""

    values_um: Float64[np.ndarray, " d"]
    """Ascending; the last may be infinite, where the other side has no outline."""

    counts: Int64[np.ndarray, " d"]
    """Voxels at each distance."""

    @property
    def n(self) -> int:
        """Voxels of the outline."""
        return int(self.counts.sum())

    @property
    def total_um(self) -> float:
        """Sum over the voxels."""
        return math.fsum((self.values_um * self.counts).tolist())

    def n_within(self, reach_um: float) -> int:
        """Voxels at a distance of at most `reach_um`."""
        return int(self.counts[self.values_um <= reach_um].sum())

    def percentile_um(self, percent: float) -> float:
        """Percentile over the voxels, interpolated as NumPy does; NaN without a voxel."""
        if not len(self.counts):
            return float("nan")
        place = percent / 100 * (self.n - 1)
        below = math.floor(place)
        ends = np.searchsorted(np.cumsum(self.counts), [below, min(below + 1, self.n - 1)], side="right")
        low, high = self.values_um[ends].tolist()
        return low if low == high else low + (high - low) * (place - below)


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Between two outlines."""

    reference: Distances
    """Of every voxel of the outline of the reference."""

    prediction: Distances
    """Of every voxel of the outline of the prediction."""

    @property
    def is_complete(self) -> bool:
        """Whether both sides have an outline."""
        return bool(self.reference.n and self.prediction.n)
