"""Populations of cells in a region, in an arrangement: the general generator, in 2D and 3D."""

import math
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval, MinLen
from pydantic import NonNegativeInt, PositiveFloat, model_validator

from ..core.config import Config
from ..core.distribution import Distribution
from ..core.errors import RecipeError
from ..core.field import LatticeField
from ..core.grid import Grid
from ..core.rng import Key
from ..core.scene import Objects, Scene, SceneFn
from ..core.shapes import Ellipsoid
from ._rotations import align_last_axis, random_rotations
from .arrangements import AbstractArrangement, Bodies
from .arrangements import registry as arrangements
from .base import AbstractLabelGenerator, registry
from .regions import AbstractRegion
from .regions import registry as regions

DENSEST = 0.74
"""Part of the volume that balls fill at most; ellipsoids little more."""

_REACH = 1.6
"""Outlines reach at most so much farther than their ellipsoid."""


class Population(Config):
    """One kind of cell among several."""

    name: str = "cells"
    """What they are called."""

    share: PositiveFloat = 1.0
    """Part of the cells, relative to the other populations."""

    radius_um: Distribution = Distribution(low=4.0, high=6.0)
    """Radius of the circle (ball) of equal area (volume)."""

    axis_ratio: Distribution = Distribution(low=0.66, high=0.97)
    """Each minor axis over the major axis, at most 1."""

    intensity: Distribution = Distribution(median=1.0)
    """Brightness; 1 is what the renderer calls typical."""

    orientation: Literal["random", "flat", "upright"] = "random"
    """Of the longest axis in 3D: any, in the plane of the slices, or along the depth."""


@registry.register
class Cells(AbstractLabelGenerator):
    """Cells of one or several populations: how many, where they may be, how they stand to each other."""

    kind: Literal["cells"] = "cells"

    n_cells: NonNegativeInt | None = None
    """Cells to place."""

    density: PositiveFloat | None = None
    """Cells per mm2 of a plane or mm3 of a volume, instead."""

    fraction: Annotated[float, Interval(gt=0, lt=1)] | None = 0.3
    """Part of the region that the cells fill, instead; what holds where neither of the others is given."""

    populations: Annotated[tuple[Population, ...], MinLen(1)] = (Population(),)
    """Kinds of cell; the class of an object is the place of its population in this list, from 1."""

    region: Annotated[AbstractRegion, *regions.field()] = regions.parse("everywhere")
    """Where the cells are."""

    arrangement: Annotated[AbstractArrangement, *arrangements.field()] = arrangements.parse("packed")
    """How they stand to each other."""

    irregularity: Annotated[float, Interval(ge=0, lt=0.6)] = 0.0
    """Largest relative deviation of the outline from an ellipsoid."""

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
        if self.fraction is not None and self.fraction > DENSEST:
            raise ValueError(f"fraction is {self.fraction:g}; cells fill at most {DENSEST:g} of a region")
        return self

    def build(self, grid: Grid, device: str = "cpu") -> SceneFn:
        """Make the function that draws a random scene on `grid`."""
        walls = None if self.region.is_everywhere else self.region.field(grid)
        _check_room(self, grid, _room_um(grid, walls, self._margin_um))
        return partial(_arrange, self, grid, walls)

    @property
    def _margin_um(self) -> float:
        """Around the grid, for cells whose centre is outside; only where the border cuts cells."""
        upper = max(p.radius_um.upper for p in self.populations)
        return 1.5 * upper if self.region.is_everywhere else 0.0


def _room_um(grid: Grid, walls: LatticeField | None, margin_um: float) -> float:
    """Area or volume that the centres may be in."""
    if walls is None:
        return float(np.prod(np.asarray(grid.extent_um) + 2 * margin_um))
    inside = np.clip(walls.values / np.minimum(walls.step_um[3 - grid.ndim :].min(), 1e9) + 0.5, 0, 1)
    flat = 3 - grid.ndim
    return float(inside.mean() * np.prod((walls.step_um * (np.array(inside.shape) - 1))[flat:]))


def _volume(radius: np.ndarray, ndim: int) -> np.ndarray:
    return math.pi * radius**2 if ndim == 2 else 4 / 3 * math.pi * radius**3


def _mean_volume(config: Cells, ndim: int) -> float:
    shares = np.array([p.share for p in config.populations])
    middles = (np.arange(64) + 0.5) / 64
    means = [float(_volume(p.radius_um.at(middles), ndim).mean()) for p in config.populations]
    return float((shares * means).sum() / shares.sum())


def _n_cells(config: Cells, grid: Grid, room_um: float) -> int:
    if config.n_cells is not None:
        in_grid = float(np.prod(grid.extent_um))
        # What is given is for the grid; the margin around it has its own.
        return round(config.n_cells * (room_um / in_grid if config.region.is_everywhere else 1.0))
    if config.density is not None:
        return round(config.density * room_um / (1e6 if grid.ndim == 2 else 1e9))
    assert config.fraction is not None
    return round(config.fraction * room_um / _mean_volume(config, grid.ndim))


def _check_room(config: Cells, grid: Grid, room_um: float) -> None:
    n, each = _n_cells(config, grid, room_um), _mean_volume(config, grid.ndim)
    unit = "um2" if grid.ndim == 2 else "um3"
    if n * each > DENSEST * room_um:
        raise RecipeError(
            f"labels: {n} cells of {each:.4g} {unit} are {n * each / room_um:.3g} times the {room_um:.4g} {unit} of "
            f"the region; they fill at most {DENSEST:g} of it, which are {int(DENSEST * room_um / each)} cells. Give "
            "fewer or smaller cells, or a larger region"
        )


def _arrange(config: Cells, grid: Grid, walls: LatticeField | None, key: Key) -> Scene:
    """Draw the cells of all populations, place them, keep what shows in the grid."""
    margin = config._margin_um
    n = _n_cells(config, grid, _room_um(grid, walls, margin))
    rng = key.child("population").generator()
    shares = np.cumsum([p.share for p in config.populations])
    class_id = np.searchsorted(shares / shares[-1], rng.random(n), side="right").astype(np.int32) + 1
    class_id = np.minimum(class_id, len(config.populations))
    semi_axes, rotation, intensity = np.ones((n, grid.ndim)), np.zeros((n, grid.ndim, grid.ndim)), np.ones(n)
    for c, population in enumerate(config.populations, start=1):
        own = np.flatnonzero(class_id == c)
        semi_axes[own], rotation[own], intensity[own] = _cells_of(population, len(own), grid.ndim, rng)
    keys = np.array([key.child("object", i).uint64() for i in range(n)], np.uint64)
    flat = 3 - grid.ndim
    extent = np.asarray(grid.extent_um)
    low, high = np.full(3, 0.5), np.full(3, 0.5)
    low[flat:], high[flat:] = -margin, extent + margin
    bodies = Bodies(keys, *_in_3d(semi_axes, rotation), is_flat=flat == 1)
    arranged = config.arrangement.arrange(bodies, low, high, walls, key.child("arrangement"))
    kept = arranged.kept
    objects = Objects(
        np.ascontiguousarray(arranged.centre_um[:, flat:]),
        semi_axes[kept],
        rotation[kept],
        intensity[kept],
        class_id[kept],
        keys[kept],
    )
    scene = Scene(grid, objects.take(_shows(objects, grid)), Ellipsoid(config.irregularity), walls)
    return scene.only_visible(min_voxels=4)


def _cells_of(
    population: Population, n: int, ndim: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Semi-axes (n, d), the last the longest; rotations (n, d, d); intensities."""
    radius = population.radius_um.sample(n, rng)
    ratios = np.column_stack(
        [np.minimum(population.axis_ratio.sample(n, rng), 1.0) for _ in range(ndim - 1)] + [np.ones(n)]
    )
    semi_axes = radius[:, None] * ratios / np.prod(ratios, axis=1, keepdims=True) ** (1 / ndim)
    rotation = random_rotations(n, ndim, rng)
    if ndim == 3 and population.orientation != "random":
        azimuth = rng.uniform(0, 2 * np.pi, n)
        along = np.column_stack([np.zeros(n), np.sin(azimuth), np.cos(azimuth)])
        if population.orientation == "upright":
            along = np.tile([1.0, 0.0, 0.0], (n, 1))
        else:
            # Lying flat: the shortest axis stands up.
            semi_axes[:, :2] = np.sort(semi_axes[:, :2], axis=1)
        rotation = align_last_axis(along)
    return semi_axes, rotation, population.intensity.sample(n, rng)


def _in_3d(semi_axes: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, ndim = semi_axes.shape
    if ndim == 3:
        return semi_axes, rotation
    turned = np.zeros((n, 3, 3))
    turned[:, 0, 0] = 1.0
    turned[:, 1:, 1:] = rotation
    return np.column_stack([np.ones(n), semi_axes]), turned


def _shows(objects: Objects, grid: Grid) -> np.ndarray:
    """Which objects can show in the grid: the sphere of their longest axis reaches it."""
    reach = _REACH * objects.semi_axes_um.max(axis=1, keepdims=True, initial=0)
    extent = np.asarray(grid.extent_um)
    return np.all((objects.centre_um > -reach) & (objects.centre_um < extent + reach), axis=1)
