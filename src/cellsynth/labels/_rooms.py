"""Rooms: the parts of space that populations live in, and how many cells each of them gets."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..core.errors import RecipeError
from ..core.field import LatticeField
from ..core.grid import Grid
from ..core.rng import Key
from ._populations import Kind
from .regions import AbstractRegion

DENSEST = {2: 0.9, 3: 0.74}
"""Part of a plane that discs, and of a volume that balls fill at most; ellipsoids little more. By dimension."""


@dataclass(frozen=True, eq=False)
class Room:
    """A part of space, and who lives there."""

    kinds: tuple[int, ...]
    """Which kinds of cell, by their place in the recipe."""

    walls: LatticeField | None
    """Depth inside; None where there are no walls."""

    low_um: Float[np.ndarray, "3"]
    high_um: Float[np.ndarray, "3"]
    """Box around it, for the centres of cells."""

    volume: float
    """Area or volume in um2 or um3."""

    volume_in_grid: float
    """Of it what lies in the grid."""


@dataclass(frozen=True, eq=False)
class Rooms:
    """Where cells may be."""

    rooms: tuple[Room, ...]

    tissue: LatticeField | None
    """Depth in the region of all cells; None where that is everywhere."""

    margin_um: float = 0.0
    """Around the grid, where there are cells too: none where the region ends within the grid."""


def rooms_of(
    region: AbstractRegion,
    kinds: tuple[Kind, ...],
    grid: Grid,
    margin_um: float,
    key: Key,
    known: Rooms | None = None,
) -> Rooms:
    """Cut the region of all cells into the rooms of the populations.

    Populations with equal regions share one. Where two regions overlap, the place is that of the earlier population.

    Parameters
    ----------
    margin_um
        Around the grid, for cells that its border cuts, where the region goes on there.
    known
        Rooms of another key: the region of all cells is theirs if nothing in it is random.

    Raises
    ------
    RecipeError
        If a population has no room.
    """
    if known is not None and not region.is_random:
        tissue, margin_um = known.tissue, known.margin_um
    elif region.is_everywhere:
        tissue = None
    else:
        tissue = region.field(grid, 0.0, key.child("region"))
        if _reaches_border(tissue, grid):
            tissue = region.field(grid, margin_um, key.child("region"))
        else:
            margin_um = 0.0
    members: dict[AbstractRegion | None, list[int]] = {}
    for i, kind in enumerate(kinds):
        members.setdefault(kind.population.region, []).append(i)
    others = members.pop(None, [])
    left, rooms = tissue, []
    for i, (part, own) in enumerate(members.items(), start=1):
        assert part is not None
        field = part.field(grid, margin_um, key.child("region", i), tissue)
        rooms.append(_room(own, _both(field, left), grid, margin_um, kinds))
        left = _both(LatticeField(-field.values, field.origin_um, field.step_um), left)
    if others:
        rooms.append(_room(others, left, grid, margin_um, kinds))
    return Rooms(tuple(rooms), tissue, margin_um)


def _reaches_border(tissue: LatticeField, grid: Grid) -> bool:
    """Whether some of a region lies at the faces of the grid, which its lattice ends at."""
    axes = range(3 - grid.ndim, 3)
    return any((tissue.values.take(end, axis) > 0).any() for axis in axes for end in (0, -1))


def _both(a: LatticeField, b: LatticeField | None) -> LatticeField:
    """Depth in what two regions share; both on one lattice."""
    return a if b is None else LatticeField(np.minimum(a.values, b.values), a.origin_um, a.step_um)


def _room(
    members: list[int], walls: LatticeField | None, grid: Grid, margin_um: float, kinds: tuple[Kind, ...]
) -> Room:
    flat = 3 - grid.ndim
    low, high = np.full(3, 0.5), np.full(3, 0.5)
    low[flat:], high[flat:] = -margin_um, np.asarray(grid.extent_um) + margin_um
    if walls is None:
        return Room(
            tuple(members),
            None,
            low,
            high,
            float(np.prod((high - low)[flat:])),
            float(np.prod(grid.extent_um)),
        )
    inside = np.argwhere(walls.values > 0)
    if not len(inside):
        names = " and ".join(repr(kinds[i].name) for i in members)
        raise RecipeError(
            f"labels: nothing of the region is left for the population {names}; let the regions of the populations "
            "overlap that of all cells, and not each other"
        )
    # A step to each side, as the wall is between two points.
    first, last = inside.min(axis=0) - 1, inside.max(axis=0) + 1
    low[flat:] = np.maximum(low, walls.origin_um + first * walls.step_um)[flat:]
    high[flat:] = np.minimum(high, walls.origin_um + last * walls.step_um)[flat:]
    share = np.clip(walls.values / np.minimum(walls.step_um[flat:].min(), 1e9) + 0.5, 0, 1)
    lattice = np.prod((walls.step_um * (np.array(share.shape) - 1))[flat:])
    volume = float(share.mean() * lattice)
    if margin_um == 0:
        return Room(tuple(members), walls, low, high, volume, volume)
    return Room(tuple(members), walls, low, high, volume, _volume_in_grid(walls, grid))


def _volume_in_grid(walls: LatticeField, grid: Grid) -> float:
    """Of what lies inside of the walls: the mean over a lattice in the grid."""
    shape = tuple(min(n, _POINTS_ALONG) for n in grid.shape_px)
    coarse = Grid(shape_px=shape, voxel_um=tuple(e / n for e, n in zip(grid.extent_um, shape, strict=True)))
    depth = walls.in_box(coarse, coarse.box)
    share = np.clip(depth / np.float32(min(coarse.voxel_um)) + np.float32(0.5), 0, 1)
    return float(share.mean(dtype=np.float64) * np.prod(grid.extent_um))


_POINTS_ALONG = 96
"""Of that lattice, along each axis."""


@dataclass(frozen=True)
class Amount:
    """How many cells; one of the three is given."""

    n_cells: int | None
    density: float | None
    fraction: float | None

    def in_rooms(self, rooms: tuple[Room, ...], kinds: tuple[Kind, ...], grid: Grid) -> list[int]:
        """Cells of each room. A density or a fraction holds in each; a number is shared by volume and shares.

        A number is that of the grid; where the rooms reach beyond its border, more cells are there.
        """
        if self.density is not None:
            return [round(self.density * room.volume / (1e6 if grid.ndim == 2 else 1e9)) for room in rooms]
        if self.fraction is not None:
            return [round(self.fraction * r.volume / _mean(r, kinds, "mean_volume")) for r in rooms]
        assert self.n_cells is not None
        inside = sum(room.volume_in_grid for room in rooms)
        beyond = sum(room.volume for room in rooms) / inside if inside > 0 else 1.0
        total = round(self.n_cells * max(beyond, 1.0))
        weight = np.array([r.volume * sum(kinds[i].population.share for i in r.kinds) for r in rooms])
        return np.diff(np.round(np.cumsum([0.0, *weight]) / weight.sum() * total)).astype(int).tolist()


def check_room(
    amount: Amount, rooms: tuple[Room, ...], kinds: tuple[Kind, ...], grid: Grid, gap_um: float = 0.0
) -> None:
    """Refuse what cannot be placed.

    Raises
    ------
    RecipeError
        If cells are larger than their room, or more than fill it.
    """
    unit, densest = "um2" if grid.ndim == 2 else "um3", DENSEST[grid.ndim]
    _check_against_grid(kinds, grid)
    for room, n in zip(rooms, amount.in_rooms(rooms, kinds, grid), strict=True):
        _check_voxels(room, n, grid)
        if room.walls is not None and amount.n_cells != 0:
            _check_sizes(room, kinds)
        each, whole = _mean(room, kinds, "mean_volume"), _mean(room, kinds, "mean_room")
        ball = {2: math.pi, 3: 4 / 3 * math.pi}[grid.ndim]
        whole = ball * ((whole / ball) ** (1 / grid.ndim) + gap_um / 2) ** grid.ndim
        less = "fewer or smaller cells" + (", a smaller min_gap_um" if gap_um > 0 else "")
        if (n - 1) * whole > densest * room.volume:  # one more or less is a matter of rounding
            takes = f"{each:.4g} {unit}"
            if whole > 1.1 * each:
                takes += f" (which keep {whole:.4g} {unit} for themselves)"
            where = "region" if room.walls is not None else "grid and a margin for cells that its border cuts"
            most = int(densest * room.volume / whole)
            raise RecipeError(
                f"labels: {n} cells of {takes} are {n * whole / room.volume:.3g} times the {room.volume:.4g} {unit} of "
                f"the {where}; they fill at most {densest:g} of it, which are {most} cells "
                f"(a fraction of {densest * each / whole:.2g}). Give {less}, or a larger region"
            )


def _check_against_grid(kinds: tuple[Kind, ...], grid: Grid) -> None:
    for kind in kinds:
        if 2 * kind.thinnest_um > max(grid.extent_um):
            raise RecipeError(
                f"labels: cells {kind.name!r} are larger than the grid: the thinnest are "
                f"{2 * kind.thinnest_um:.3g} um across, and the longest side of the grid is "
                f"{max(grid.extent_um):.3g} um. Give smaller cells or a larger grid, and check voxel_um"
            )


def _check_voxels(room: Room, n: int, grid: Grid) -> None:
    """Refuse more cells than voxels before they are drawn: it takes for ever, or all memory."""
    voxel, unit = float(np.prod(grid.voxel_um)), "um2" if grid.ndim == 2 else "um3"
    if n * voxel > room.volume:
        raise RecipeError(
            f"labels: {n:.3g} cells in {room.volume:.4g} {unit} have less than a voxel each, which is {voxel:.3g} "
            f"{unit}; check grid.voxel_um, {list(grid.voxel_um)}, which is in micrometres, or give fewer cells"
        )


def _check_sizes(room: Room, kinds: tuple[Kind, ...]) -> None:
    assert room.walls is not None
    # Between the points of the lattice it may be deeper.
    deepest = float(room.walls.values.max() + room.walls.step_um.max() / 2)
    for kind in (kinds[i] for i in room.kinds):
        if kind.thinnest_um > deepest:
            raise RecipeError(
                f"labels: cells {kind.name!r} do not fit into their region: the thinnest have a semi-axis "
                f"of {kind.thinnest_um:.3g} um, and no place in the region is deeper than {deepest:.3g} um. Give "
                "smaller cells, or a larger region"
            )


def _mean(room: Room, kinds: tuple[Kind, ...], what: str) -> float:
    """Over the cells of a room, by the shares of the populations."""
    shares = np.array([kinds[i].population.share for i in room.kinds])
    values = np.array([getattr(kinds[i], what) for i in room.kinds])
    return float((shares * values).sum() / shares.sum())
