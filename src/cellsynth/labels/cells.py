"""Populations of cells in a region, in an arrangement: the general generator, in 2D and 3D."""

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval, MinLen
from pydantic import PositiveFloat, model_validator

from ..core.grid import Grid
from ..core.rng import Key
from ..core.scene import AbstractShape, Objects, Scene, SceneFn
from ..core.types import Points
from ._populations import Kind, Population, common_shape, joined, kinds_of
from ._rooms import DENSEST, Amount, Room, Rooms, check_room, rooms_of
from .arrangements import AbstractArrangement, Bodies
from .arrangements import registry as arrangements
from .base import AbstractLabelGenerator, registry
from .regions import AbstractRegion
from .regions import registry as regions

_log = logging.getLogger(__name__)

_MARGIN = 1.2
"""Around the grid, in reaches of the largest cell: all that the border cuts, and those that these touch."""


_LEAST_VOXELS = 4
"""Of a cell that is kept."""

_MANY_SEEN = 0.8
"""Part of the cells in the grid that are kept, where nothing is odd."""


@registry.register
class Cells(AbstractLabelGenerator):
    """Cells of one or several populations: how many, where they may be, what they look like, how they stand."""

    kind: Literal["cells"] = "cells"

    n_cells: Annotated[int, Interval(ge=0, le=10**9)] | None = None
    """Cells to place."""

    density: PositiveFloat | None = None
    """Cells per mm2 of a plane or mm3 of a volume, instead."""

    fraction: Annotated[float, Interval(gt=0, lt=1)] | None = 0.3
    """Part of the region that the cells fill, instead; what holds where neither of the others is given."""

    populations: Annotated[tuple[Population, ...], MinLen(1)] = (Population(),)
    """Kinds of cell; the class of an object is the place of its population among the labelled ones, from 1."""

    region: Annotated[AbstractRegion, *regions.field()] = regions.parse("everywhere")
    """Where the cells are."""

    arrangement: Annotated[AbstractArrangement, *arrangements.field()] = arrangements.parse("packed")
    """How they stand to each other."""

    @model_validator(mode="before")
    @classmethod
    def _drop_default(cls, data: Any) -> Any:
        is_given = isinstance(data, dict) and any(data.get(n) is not None for n in ("n_cells", "density"))
        return {"fraction": None, **data} if is_given else data

    @model_validator(mode="after")
    def _check_amount(self) -> "Cells":
        given = [n for n in ("n_cells", "density", "fraction") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give one of n_cells, density and fraction, and null for the others; saw {', '.join(given) or 'none'}"
            )
        if self.fraction is not None and self.fraction > max(DENSEST.values()):
            raise ValueError(
                f"fraction is {self.fraction:g}; cells fill at most {DENSEST[2]:g} of a plane and {DENSEST[3]:g} of a "
                "volume"
            )
        if not any(p.is_labelled for p in self.populations):
            raise ValueError("no population is labelled; leave is_labelled at true for one")
        names = [p.name for p in self.populations if p.name]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(
                f"two populations are called {twice[0]!r}; give each its own, as it is that of a class"
            )
        return self

    def build(self, grid: Grid, device: str = "cpu") -> SceneFn:
        """Make the function that draws a random scene on `grid`."""
        kinds = kinds_of(self.populations, grid)
        # Cells whose centre is outside are there only where the border of the grid cuts cells.
        margin = _MARGIN * max(kind.reach_um for kind in kinds)
        rooms = rooms_of(self.region, kinds, grid, margin, Key.from_seed(0))
        check_room(self.amount, rooms.rooms, kinds, grid, self.arrangement.min_gap_um)
        parts = [self.region, *(p.region for p in self.populations if p.region is not None)]
        is_random = any(part.is_random for part in parts)
        return partial(_make_scene, _Stage(self, grid, kinds, margin, rooms, is_random))

    @property
    def amount(self) -> Amount:
        """How many cells."""
        return Amount(self.n_cells, self.density, self.fraction)


@dataclass(frozen=True, eq=False)
class _Stage:
    """What all scenes of a recipe have in common."""

    config: Cells
    grid: Grid
    kinds: tuple[Kind, ...]
    margin_um: float

    rooms: Rooms
    is_random: bool
    """Whether rooms differ from scene to scene; then `rooms` are those of one of them."""


def _make_scene(stage: _Stage, key: Key) -> Scene:
    """Fill each room, keep what shows in the grid."""
    config, grid, kinds = stage.config, stage.grid, stage.kinds
    places = stage.rooms
    if stage.is_random:
        places = rooms_of(config.region, kinds, grid, stage.margin_um, key, stage.rooms)
        check_room(config.amount, places.rooms, kinds, grid, config.arrangement.min_gap_um)
    amounts = config.amount.in_rooms(places.rooms, kinds, grid)
    keys = np.array([key.child("object", i).uint64() for i in range(sum(amounts))], np.uint64)
    own_keys = np.split(keys, np.cumsum(amounts)[:-1])
    filled = [
        _fill(stage, room, own, key.child("room", i))
        for i, (room, own) in enumerate(zip(places.rooms, own_keys, strict=True))
    ]
    cells, kind_of = joined([cells for cells, _ in filled]), np.concatenate([which for _, which in filled])
    is_labelled = np.array([kind.population.is_labelled for kind in kinds])
    scene = _seen(stage, places, cells.take(is_labelled[kind_of]), is_labelled=True)
    if is_labelled.all():
        return scene
    return replace(
        scene, unlabelled=_seen(stage, places, cells.take(~is_labelled[kind_of]), is_labelled=False)
    )


def _seen(stage: _Stage, places: Rooms, cells: Objects, is_labelled: bool) -> Scene:
    """Those of the labelled (or of the other) cells that show in the grid."""
    kinds = [kind for kind in stage.kinds if kind.population.is_labelled == is_labelled]
    shape, grid = common_shape(kinds), stage.grid
    near = cells.take(_reaches(cells, shape, grid))
    names = tuple(kind.name for kind in kinds)
    scene = Scene(grid, near, shape, places.tissue, class_names=names)
    seen = scene.only_visible(min_voxels=_LEAST_VOXELS)
    n_inside = int(np.all((near.centre_um >= 0) & (near.centre_um < grid.extent_um), axis=1).sum())
    if len(seen.objects) < _MANY_SEEN * n_inside:
        _log.warning(
            "labels: %d of %d cells in the grid show %d voxels or more and are kept: they are too small for voxels of "
            "%s um, or lie on top of one another; check their size and grid.voxel_um",
            len(seen.objects),
            n_inside,
            _LEAST_VOXELS,
            list(grid.voxel_um),
        )
    return seen


def _fill(stage: _Stage, room: Room, keys: np.ndarray, key: Key) -> tuple[Objects, np.ndarray]:
    """Cells of the populations of a room, in their places, and which kind each is."""
    grid, rng = stage.grid, key.child("population").generator()
    shares = np.cumsum([stage.kinds[i].population.share for i in room.kinds])
    chosen = np.searchsorted(shares / shares[-1], rng.random(len(keys)), side="right")
    which = np.array(room.kinds)[np.minimum(chosen, len(room.kinds) - 1)]
    tables, bodies, volumes = [], [], []
    for i in room.kinds:
        kind = stage.kinds[i]
        cells = kind.draw(keys[which == i], grid, rng)
        tables.append(cells)
        bodies.append(kind.body_um(cells, grid))
        volumes.append(kind.volumes(cells, grid))
    # From kind by kind to the order of the keys.
    order = np.argsort(np.concatenate([np.flatnonzero(which == i) for i in room.kinds]))
    cells, body_um = joined(tables).take(order), np.concatenate(bodies)[order]
    volume = np.concatenate(volumes)[order]
    flat = 3 - grid.ndim
    arranged = stage.config.arrangement.arrange(
        Bodies(keys, *_in_3d(body_um, cells.rotation), is_flat=flat == 1),
        room.low_um,
        room.high_um,
        room.walls,
        key.child("arrangement"),
    )
    if arranged.why:
        _log.warning(
            "labels: %d of %d cells found a place; they fill %.3g of the region, and %.3g was asked for; %s",
            len(arranged.kept),
            len(cells),
            volume[arranged.kept].sum() / room.volume,
            volume.sum() / room.volume,
            arranged.why,
        )
    placed = replace(cells.take(arranged.kept), centre_um=np.ascontiguousarray(arranged.centre_um[:, flat:]))
    return placed, which[arranged.kept]


def _in_3d(semi_axes: Points, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, ndim = semi_axes.shape
    if ndim == 3:
        return semi_axes, rotation
    turned = np.zeros((n, 3, 3))
    turned[:, 0, 0] = 1.0
    turned[:, 1:, 1:] = rotation
    return np.column_stack([np.ones(n), semi_axes]), turned


def _reaches(cells: Objects, shape: AbstractShape, grid: Grid) -> np.ndarray:
    """Which cells can show in the grid: their bounding box meets it."""
    half = shape.half_extents_um(cells, grid)
    return np.all((cells.centre_um > -half) & (cells.centre_um < grid.extent_um + half), axis=1)
