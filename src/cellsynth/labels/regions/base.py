"""What every region is."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float

from ...core.errors import RecipeError
from ...core.field import LatticeField
from ...core.grid import Grid
from ...core.registry import Plugin, Registry
from ...core.rng import Key

registry: "Registry[AbstractRegion]" = Registry("cellsynth.labels.regions", "region")

_POINTS = 96
"""Lattice points along the longest axis of a field at least; shapes of regions are smooth."""

_VOXELS_PER_POINT = 4
"""Of a large grid, along its longest axis, as far as there may be so many points."""

_MOST_POINTS = 2**22
"""Of a field."""

_POINTS_ACROSS = 32
"""And along any other at least, for layers that are thin against the width of the grid."""

_FIXED = Key.from_seed(0)
"""For regions that nothing is random in."""


class AbstractRegion(Plugin, ABC):
    """A part of space: positive depth inside, in um, zero on its border."""

    @abstractmethod
    def depth_um(
        self,
        points_um: Float[np.ndarray, "n 3"],
        grid: Grid,
        key: Key,
        within: LatticeField | None = None,
    ) -> Float[np.ndarray, " n"]:
        """Distance of points to the border, positive inside; exact near the border. In 2D all have z = 0.5.

        Parameters
        ----------
        key
            Of the sample: what is random in a region follows it.
        within
            Depth in a region around this one, which what is placed at random should lie in; None where there is none.
        """

    @property
    def is_everywhere(self) -> bool:
        """The whole grid, with cells that its border cuts."""
        return False

    @property
    def is_random(self) -> bool:
        """Whether it differs from sample to sample."""
        return False

    def field(
        self,
        grid: Grid,
        margin_um: float = 0.0,
        key: Key = _FIXED,
        within: LatticeField | None = None,
    ) -> LatticeField:
        """Depth on a lattice over the grid and a margin around it.

        Parameters
        ----------
        key, within
            As of `depth_um`.

        Raises
        ------
        RecipeError
            If nothing of the region is in the grid.
        """
        flat = 3 - grid.ndim
        low = np.array([0.5] * flat + [-margin_um] * grid.ndim)
        high = np.array([0.5] * flat + [e + margin_um for e in grid.extent_um])
        longest = float((high - low).max())
        n = max(_POINTS, max(grid.shape_px) // _VOXELS_PER_POINT)
        # As many of all axes together as there may be.
        shares = np.maximum((high - low)[flat:] / longest, _POINTS_ACROSS / n)
        n = max(_POINTS, min(n, int((_MOST_POINTS / shares.prod()) ** (1 / grid.ndim))))
        step = longest / (n - 1)
        counts = np.ceil((high - low) / step).astype(int) + 1
        counts = np.where(high > low, np.maximum(counts, _POINTS_ACROSS), 2)
        steps = np.maximum((high - low) / (counts - 1), 1e-9)
        axes = [o + s * np.arange(n) for o, s, n in zip(low, steps, counts, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        values = self.depth_um(points, grid, key, within).astype(np.float32).reshape(tuple(counts))
        if not (values > 0).any():
            raise RecipeError(
                f"region {self.kind}: nothing of it lies in the grid of {[round(e, 3) for e in grid.extent_um]} um; "
                "make it larger, or move it"
            )
        return LatticeField(values, low, steps)


def middle_of(grid: Grid) -> np.ndarray:
    """Centre of the grid in 3D."""
    return np.array([0.5] * (3 - grid.ndim) + [e / 2 for e in grid.extent_um])


def in_3d(values: tuple[float, ...], grid: Grid, field: str) -> np.ndarray:
    """Lengths per axis of the grid, with an endless one across a plane.

    Raises
    ------
    RecipeError
        If there is not one per axis, or one for all.
    """
    if len(values) not in (1, grid.ndim):
        raise RecipeError(
            f"{field} has {len(values)} numbers and the grid {grid.ndim} axes; give one, or one per axis"
        )
    spread = values * grid.ndim if len(values) == 1 else values
    return np.array([1e12] * (3 - grid.ndim) + list(spread), float)
