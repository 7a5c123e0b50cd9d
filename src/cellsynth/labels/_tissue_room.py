"""How much room a tissue has in its region, and how many cells fill it."""

from dataclasses import dataclass, replace

import numpy as np

from ..core.distribution import Distribution
from ..core.errors import RecipeError
from ..core.field import LatticeField
from ..core.grid import Grid
from ..core.rng import Key
from .regions import AbstractRegion

UNIT = {1: 2.0, 2: np.pi, 3: 4 / 3 * np.pi}
"""Length, area and volume of what has a radius of 1."""

_MARGIN = 3.5
"""Mean radii around the grid in which there are cells too, so that those at its border have neighbours."""

_THINNEST = 0.5
"""Mean radii that a region is across at least."""

_LARGEST = 2.0
"""Radius of a cell over the longest side of the grid, at most: the grid would show nothing but its inside."""

_LEAST_VOXELS = 4
"""Of a mean cell."""

_LEAST_DEEP = 0.3
"""Part of a layer that is deeper than half its greatest depth: 1/2 where it is even, 1/4 in a disc, 1/8 in a ball."""


@dataclass(frozen=True)
class Amount:
    """How many cells, or how large."""

    n_cells: int | None
    density: float | None
    """Per mm2 or mm3."""

    radius_um: Distribution
    """Says how many where neither of the others is given."""


@dataclass(frozen=True, eq=False)
class Room:
    """Where the cells of a sample have room, and how large they are."""

    low_um: np.ndarray
    """(3,) corners of the grid with a margin around it."""

    high_um: np.ndarray
    walls: LatticeField | None
    n_cells: int
    """In the margin too."""

    volume: float
    """Of all cells: area in a plane and of a single layer."""

    across_um: float
    """Mean thickness of a single layer; else 1."""

    d: int
    """Dimensions that cells compete for: 2 in a plane and in a single layer."""

    radius_um: float
    """Of a cell of mean size."""


def mean_radius(radius_um: Distribution, d: int) -> float:
    """Radius of the circle (ball) of mean area (volume)."""
    return float((radius_um.at((np.arange(256) + 0.5) / 256) ** d).mean() ** (1 / d))


def room_for(region: AbstractRegion, amount: Amount, grid: Grid, key: Key, *, is_single_layer: bool) -> Room:
    """Measure the region.

    Raises
    ------
    RecipeError
        If it has room for less than one cell, is too thin for cells, or is no layer where it should be one; or if
        cells are smaller than voxels.
    """
    flat, extent = 3 - grid.ndim, np.asarray(grid.extent_um)
    low, high = np.full(3, 0.5), np.full(3, 0.5)
    low[flat:], high[flat:] = 0.0, extent
    walls = None if region.is_everywhere else region.field(grid, 0.0, key)
    in_grid = room_of(walls, low, high, grid.ndim)
    d, across, thickest = grid.ndim, 1.0, 0.0
    is_layer = is_single_layer and walls is not None and float(np.ptp(walls.values)) > 0
    if is_layer:
        walls, thickest = _whole_layer(region, grid, key)
        # The mean depth of a layer is a quarter of its thickness.
        d, across = d - 1, 4 * float(walls.values[walls.values > 0].mean())
    per_cell = _size_of_a_cell(amount, in_grid / across, across, d, grid.ndim)
    radius = (per_cell / UNIT[d]) ** (1 / d)
    _check_voxels(per_cell * across, grid)
    if radius > _LARGEST * max(grid.extent_um):
        raise RecipeError(
            f"labels: cells have a radius of {radius:.3g} um, and the longest side of the grid is "
            f"{max(grid.extent_um):.3g} um; give smaller cells, or check grid.voxel_um, which is in micrometres"
        )
    margin = _MARGIN * radius + thickest
    low[flat:], high[flat:] = low[flat:] - margin, high[flat:] + margin
    if walls is not None:
        walls = region.field(grid, margin, key)
        _check_shape(walls, radius, low, high, grid.ndim, is_layer=is_layer)
    volume = room_of(walls, low, high, grid.ndim) / across
    n = round(volume / per_cell)
    if n < 1:
        unit = "um2" if grid.ndim == 2 else "um3"
        raise RecipeError(
            f"labels: the region has {volume * across:.4g} {unit} in the grid and a cell {per_cell * across:.4g}; give "
            "smaller cells, or a larger region"
        )
    return Room(low, high, walls, n, volume, across, d, radius)


def _whole_layer(region: AbstractRegion, grid: Grid, key: Key) -> tuple[LatticeField, float]:
    """Depth in all of a layer, of which the grid may show one side only, and its greatest thickness."""
    margin = 0.0
    for _ in range(_MAX_LOOKS):
        walls = region.field(grid, margin, key)
        across = 2 * float(walls.values.max())
        if margin >= across:
            return walls, across
        margin = 1.01 * across
    raise RecipeError(
        f"region {region.kind}: it goes on beyond {margin:.4g} um outside of the grid, and has no middle that a single "
        "layer could be in; make it thinner"
    )


_MAX_LOOKS = 8
"""At regions of which more and more shows."""


def _size_of_a_cell(amount: Amount, room: float, across: float, d: int, ndim: int) -> float:
    if amount.n_cells is not None:
        return room / amount.n_cells
    if amount.density is not None:
        return (1e6 if ndim == 2 else 1e9) / amount.density / across
    return UNIT[d] * mean_radius(amount.radius_um, d) ** d


def _check_voxels(per_cell: float, grid: Grid) -> None:
    voxel = float(np.prod(grid.voxel_um))
    if per_cell < _LEAST_VOXELS * voxel:
        raise RecipeError(
            f"labels: a cell has {per_cell / voxel:.3g} voxels; give larger cells or smaller voxels, so that it has at "
            f"least {_LEAST_VOXELS}"
        )


def _check_shape(
    walls: LatticeField, radius: float, low: np.ndarray, high: np.ndarray, ndim: int, *, is_layer: bool
) -> None:
    deepest = float(walls.values.max())
    if 2 * deepest < _THINNEST * radius:
        raise RecipeError(
            f"labels: the region is at most {2 * deepest:.3g} um across, and cells have a radius of {radius:.3g} um; "
            "give smaller cells, or a thicker region"
        )
    if not is_layer:
        return
    deep = replace(walls, values=walls.values - np.float32(deepest / 2))
    share = room_of(deep, low, high, ndim) / room_of(walls, low, high, ndim)
    if share < _LEAST_DEEP:
        raise RecipeError(
            f"labels: the region is no layer: {share:.2g} of it is deeper than half of its greatest depth of "
            f"{deepest:.3g} um, which is 0.5 of an even layer; a single layer needs a region with two sides, as a slab "
            "or an ellipsoid with a core of 0.5 or more has"
        )


def room_of(walls: LatticeField | None, low_um: np.ndarray, high_um: np.ndarray, ndim: int) -> float:
    """Area or volume of the region in a box."""
    low, extent = low_um[3 - ndim :], (high_um - low_um)[3 - ndim :]
    box = float(np.prod(extent))
    if walls is None:
        return box
    n = {2: 500, 3: 64}[ndim]
    voxel = tuple((extent / n).tolist())
    samples = Grid(shape_px=(n,) * ndim, voxel_um=voxel)
    origin = walls.origin_um.copy()
    origin[3 - ndim :] -= low
    depth = replace(walls, origin_um=origin).in_box(samples, samples.box)
    # A sample stands for a small box, which the border may cut.
    return box * float(np.clip(depth / min(voxel) + 0.5, 0, 1).mean())
