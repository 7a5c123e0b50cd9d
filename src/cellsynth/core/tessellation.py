"""Tessellation: space divided among seeds, as cells of an epithelium or a tissue divide it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt64
from numba import njit, prange

from .cell_walls import FEWEST_RINGS, has_more_walls, ray_length, walls_of
from .field import LatticeField
from .warp import Warp

NO_WALLS = LatticeField(np.full((2, 2, 2), np.inf, np.float32), np.zeros(3), np.ones(3))
"""The depth of what has no border."""

_N_RAYS = {2: 64, 3: 192}
"""Directions from a seed in which its cell is measured, by dimension."""


class Bins(NamedTuple):
    """Seeds in the order of the cubic bins that they lie in, for kernels."""

    seed: Float[np.ndarray, "n 3"]
    weight: Float[np.ndarray, " n"]
    reach: Float[np.ndarray, " n"]
    first: Integer[np.ndarray, " bins_and_one"]
    """Where each bin begins."""

    n_bins: Integer[np.ndarray, "3"]
    low: Float[np.ndarray, "3"]
    size: float


@dataclass(frozen=True, eq=False)
class Extents:
    """What cells measure before the warp, which changes it little."""

    volume: Float[np.ndarray, " n"]
    """um3, or um2 in a plane."""

    centroid_um: Float[np.ndarray, "n 3"]
    """Of a plane at z = 0.5."""

    covariance: Float[np.ndarray, "n 3 3"]
    """Second central moments over the volume, um2; of a plane zero along the first axis."""

    radius_um: Float[np.ndarray, " n"]
    """Of the furthest point that was seen from the seed."""

    n_rings: Integer[np.ndarray, " n"]
    """Rings of bins in which the neighbours of a cell are."""


@dataclass(frozen=True, eq=False)
class Tessellation:
    """The cell of a seed is where its power, the squared distance less its weight, is smallest [1]_.

    With equal weights these are Voronoi cells. Walls are plane, then bent by the warp; cells end at the border of the
    region, which the warp leaves where it is, and their reach away from their seeds.

    References
    ----------
    .. [1] F. Aurenhammer, "Power diagrams: properties, algorithms and applications", SIAM J. Comput. 16 (1987) 78-96.
    """

    seed_um: Float[np.ndarray, "n 3"]
    """Of a plane all at z = 0.5."""

    weight_um2: Float[np.ndarray, " n"]
    key: UInt64[np.ndarray, " n"]
    """Names the cells; each once."""

    reach_um: Float[np.ndarray, " n"]
    """No point of a cell is further from its seed, before the warp."""

    warp: Warp
    walls: LatticeField | None = None
    """Depth in the region; None where there is no border."""

    is_flat: bool = False
    """In a plane."""

    def __len__(self) -> int:
        return len(self.seed_um)

    def take(self, index: Integer[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> "Tessellation":
        """Of these seeds alone: the others' cells go to them."""
        return Tessellation(
            self.seed_um[index],
            self.weight_um2[index],
            self.key[index],
            self.reach_um[index],
            self.warp,
            self.walls,
            self.is_flat,
        )

    def with_seeds_inside(self) -> "Tessellation":
        """Drop seeds that are not in their own cells, which happens where weights differ by more than distances."""
        diagram = self
        while len(diagram) and not (is_inside := diagram.extents.volume > 0).all():
            diagram = diagram.take(is_inside)
        return diagram

    def within_sight(self) -> "Tessellation":
        """Let no cell reach further than half as far again as its furthest point that rays from its seed see.

        Rays miss corners by less, so it takes nothing from a cell, and tells where it may be.
        """
        reach = np.minimum(self.reach_um, 1.5 * self.extents.radius_um)
        return replace(self, reach_um=reach)

    def rows_of(self, keys: UInt64[np.ndarray, " m"]) -> Integer[np.ndarray, " m"]:
        """Rows of the cells with these keys, which all must be here."""
        by_key, sorted_keys = self._keys
        found = by_key[np.minimum(np.searchsorted(sorted_keys, keys), max(len(self) - 1, 0))]
        assert (self.key[found] == keys).all()
        return found

    def places_of(self, keys: UInt64[np.ndarray, " m"]) -> Integer[np.ndarray, " m"]:
        """Places in `bins` of the cells with these keys."""
        return self._place[self.rows_of(keys)]

    @cached_property
    def _place(self) -> np.ndarray:
        return np.argsort(self.order)

    @cached_property
    def heaviest_um2(self) -> float:
        """Largest weight."""
        return float(self.weight_um2.max(initial=0.0))

    @cached_property
    def furthest_um(self) -> float:
        """Largest reach."""
        return float(self.reach_um.max(initial=0.0))

    @cached_property
    def spacing_um(self) -> float:
        """About how far apart seeds are."""
        return max(float(np.median(self.reach_um)) / 3, float(self.bins.size) / 2)

    @cached_property
    def _keys(self) -> tuple[np.ndarray, np.ndarray]:
        by_key = np.argsort(self.key)
        return by_key, self.key[by_key]

    @cached_property
    def order(self) -> Integer[np.ndarray, " n"]:
        """Rows in the order of `bins`."""
        return self._binned[0]

    @cached_property
    def bins(self) -> Bins:
        """Seeds by place."""
        return self._binned[1]

    @cached_property
    def _binned(self) -> tuple[np.ndarray, Bins]:
        low, high = np.zeros(3), np.ones(3)
        if len(self):
            low, high = self.seed_um.min(axis=0), self.seed_um.max(axis=0)
        extent = np.maximum(high - low, 1e-9)
        size = float(extent.max()) / max(len(self), 1)
        while np.prod(np.floor(extent / size) + 1) > len(self) + 8:
            size *= 1.1
        n_bins = (extent / size).astype(np.int64) + 1
        place = np.minimum(((self.seed_um - low) / size).astype(np.int64), n_bins - 1)
        number = (place[:, 0] * n_bins[1] + place[:, 1]) * n_bins[2] + place[:, 2]
        order = np.lexsort((self.key, number))
        first = np.searchsorted(number[order], np.arange(int(np.prod(n_bins)) + 1))
        columns = [
            np.ascontiguousarray(c[order], np.float64) for c in (self.seed_um, self.weight_um2, self.reach_um)
        ]
        return order, Bins(columns[0], columns[1], columns[2], first, n_bins, low, size)

    @cached_property
    def extents(self) -> Extents:
        """Of all cells."""
        return self.measured(0.0)

    def measured(self, inset_um: float, n_rays: int | None = None) -> Extents:
        """What is left of all cells where a layer of this thickness is taken off their walls and their border.

        Parameters
        ----------
        n_rays
            Directions from the seed in which a cell is measured; by default 64 in a plane and 192 in a volume.
        """
        n = len(self)
        directions = _directions(n_rays or _N_RAYS[2 if self.is_flat else 3], self.is_flat)
        volume, radius = np.empty(n), np.empty(n)
        first, second, n_rings = np.empty((n, 3)), np.empty((n, 3, 3)), np.full(n, FEWEST_RINGS)
        field = self.walls or NO_WALLS
        if n:
            _measure(
                *self.bins, field.values, field.origin_um, field.step_um, self.walls is not None, directions,
                self.heaviest_um2, inset_um, 2 if self.is_flat else 3, volume, first, second, radius, n_rings,
            )  # fmt: skip
        back = self._place
        return Extents(
            volume[back], (self.bins.seed + first)[back], second[back], radius[back], n_rings[back]
        )


def _directions(n: int, is_flat: bool) -> np.ndarray:
    """Unit vectors evenly over the circle, or over the sphere along a spiral."""
    turn = np.arange(n) + 0.5
    if is_flat:
        angle = 2 * np.pi * turn / n
        return np.column_stack([np.zeros(n), np.sin(angle), np.cos(angle)])
    height = 1 - 2 * turn / n
    angle = np.pi * (1 + np.sqrt(5)) * turn
    width = np.sqrt(1 - height**2)
    return np.column_stack([height, width * np.sin(angle), width * np.cos(angle)])


@njit(cache=True, parallel=True, error_model="numpy")
def _measure(
    seed, weight, reach, first, n_bins, low, size, field, origin, step, has_walls, directions, heaviest,
    inset, d, volume, mean, moment, radius, n_rings,
):  # fmt: skip
    """A cell is star-shaped about its seed, so its moments are sums over directions of powers of its radius."""
    n_rays = directions.shape[0]
    for i in prange(seed.shape[0]):
        lengths = np.empty(n_rays)
        while True:
            walls = walls_of(i, seed, weight, first, n_bins, low, size, n_rings[i])
            for r in range(n_rays):
                lengths[r] = ray_length(
                    seed[i], directions[r], walls, reach[i], field, origin, step, has_walls, inset
                )
            radius[i] = lengths.max()
            if not has_more_walls(radius[i], n_rings[i], size, weight[i], heaviest):
                break
            n_rings[i] += 1
        total, sums, squares = 0.0, np.zeros(3), np.zeros((3, 3))
        for r in range(n_rays):
            direction, length = directions[r], lengths[r]
            total += length**d
            for k in range(3):
                sums[k] += length ** (d + 1) * direction[k]
                for m in range(3):
                    squares[k, m] += length ** (d + 2) * direction[k] * direction[m]
        ball = np.pi if d == 2 else 4.0 * np.pi / 3.0
        volume[i] = ball * total / n_rays
        scale = 1.0 / total if total > 0.0 else 0.0
        for k in range(3):
            mean[i, k] = sums[k] * scale * d / (d + 1.0)
        for k in range(3):
            for m in range(3):
                moment[i, k, m] = squares[k, m] * scale * d / (d + 2.0) - mean[i, k] * mean[i, m]
