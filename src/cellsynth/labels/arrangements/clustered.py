"""Cells in clusters."""

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import PositiveInt

from ...core.field import LatticeField
from ...core.lattice import uniform
from ...core.rng import Key
from .._packing import pack, scattered
from .base import AbstractArrangement, Arranged, Bodies, registry


@registry.register
class Clustered(AbstractArrangement):
    """Cells in dense clusters around random centres, and some that stand alone: a parent-and-daughters process.

    Daughters start in a ball around their parent that holds them at `fraction` and push each other apart, so the
    clusters are dense and nothing overlaps.
    """

    kind: Literal["clustered"] = "clustered"

    cluster_size: PositiveInt = 12
    """Cells in a cluster."""

    alone: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Share of cells outside of clusters."""

    fraction: Annotated[float, Interval(gt=0, le=0.74)] = 0.5
    """Part of the volume of a cluster that its cells fill at the beginning; they push apart from there."""

    def arrange(
        self, bodies: Bodies, low_um: np.ndarray, high_um: np.ndarray, walls: LatticeField | None, key: Key
    ) -> Arranged:
        start = scattered(bodies.keys, low_um, high_um, walls)
        n_clusters = max(1, round(len(bodies) * (1 - self.alone) / self.cluster_size)) if len(bodies) else 0
        first = 1 if bodies.is_flat else 0
        volumes = np.prod(bodies.semi_axes_um[:, first:], axis=1)
        size = min(self.cluster_size, len(bodies) * (1 - self.alone) / max(n_clusters, 1))
        # In units where a ball of radius r has r^d: the constant is the same on both sides.
        reach = (size * float(volumes.mean() if len(volumes) else 0) / self.fraction) ** (1 / (3 - first))
        for i, own in enumerate(bodies.keys):
            if uniform(own, 0, 50) >= self.alone:
                parent = int(uniform(own, 1, 50) * n_clusters)  # whose own place is the centre
                start[i] = start[parent] + reach * _in_ball(own, first)
        # Reflected at the border: moved onto it, they would push each other along it only.
        start = low_um + np.abs(start - low_um)
        start = np.clip(high_um - np.abs(high_um - start), low_um, high_um)
        packing = pack(
            start,
            bodies.semi_axes_um,
            bodies.rotation,
            low_um,
            high_um,
            walls=walls,
            gap_um=self.min_gap_um,
            is_flat=bodies.is_flat,
        )
        return Arranged(packing.centre_um, np.arange(len(bodies)), packing.complaint)


def _in_ball(key: np.uint64, first: int) -> np.ndarray:
    """Uniform point of the unit ball, or of the disc across the first axis."""
    azimuth = 2 * math.pi * uniform(key, 2, 50)
    radius = uniform(key, 3, 50) ** (1 / (3 - first))
    height = 0.0 if first else 2 * uniform(key, 4, 50) - 1
    width = math.sqrt(1 - height * height)
    return radius * np.array([height, width * math.sin(azimuth), width * math.cos(azimuth)])
