"""Kinds of cell: what they look like, and the cells of a kind before they have a place."""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float, UInt64
from pydantic import PositiveFloat, model_validator

from ..core.config import Config
from ..core.distribution import Distribution
from ..core.errors import RecipeError
from ..core.grid import Grid
from ..core.rng import Key
from ..core.scene import AbstractShape, Objects
from ..core.shapes import Mixed
from ..core.types import Points
from ._rotations import align_last_axis, random_rotations
from .regions import AbstractRegion
from .regions import registry as regions
from .shapes import AbstractShapeKind
from .shapes import registry as shape_kinds

_N_PROBED = 2000
"""Cells that are drawn to know the mean of a population: its volume is off by about a hundredth then."""


class Population(Config):
    """One kind of cell among several."""

    name: str = ""
    """What they are called, as the name of a class; by default `cells`, numbered where there are several."""

    share: PositiveFloat = 1.0
    """Part of the cells, relative to the other populations in the same region."""

    radius_um: Distribution = Distribution(low=4.0, high=6.0)
    """Radius of the circle (ball) of equal area (volume), whatever the shape."""

    axis_ratio: Distribution = Distribution(low=0.66, high=0.97)
    """Each minor axis over the major axis, at most 1."""

    thickness_ratio: Distribution | None = None
    """Of one of the minor axes in 3D, instead: the height of cells with `orientation: flat` over their length."""

    intensity: Distribution = Distribution(median=1.0)
    """Brightness; 1 is what the renderer calls typical."""

    orientation: Literal["random", "flat", "upright"] = "random"
    """Of the longest axis in 3D: any, in the plane of the slices, or along the depth."""

    shape: Annotated[AbstractShapeKind, *shape_kinds.field()] = shape_kinds.parse("ellipsoid")
    """What they look like."""

    region: Annotated[AbstractRegion | None, *regions.optional_field()] = None
    """A part of the region of all cells that only this population lives in, such as `balls`; populations without one
    live in what is left."""

    @model_validator(mode="after")
    def _check_ratios(self) -> "Population":
        for name in ("axis_ratio", "thickness_ratio"):
            ratio = getattr(self, name)
            middle = 0.0 if ratio is None else float(ratio.at(np.array([0.5]))[0])
            if middle > 1:
                raise ValueError(f"{name} is a minor axis over the major axis, at most 1; saw {middle:g}")
        return self

    is_labelled: bool = True
    """False for what is in the image and in no label: debris. It takes its place among the cells."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A population on a grid."""

    population: Population
    name: str
    shape: AbstractShape

    class_id: int
    """From 1, counted among the labelled populations, or among those that are not."""

    mean_volume: float
    """Mean area (volume) of a cell, in um2 (um3)."""

    mean_room: float
    """Mean of the ellipsoid that no other cell may enter."""

    thinnest_um: float
    """Smallest semi-axis of these ellipsoids."""

    reach_um: float
    """Farthest that a cell reaches from its centre along an axis, as far as was seen."""

    @classmethod
    def of(cls, population: Population, name: str, class_id: int, grid: Grid) -> "Kind":
        """Read what there is to read, and look at some cells."""
        shape = population.shape.shape(grid)
        rng = Key.from_seed(0).child("probe").generator()
        keys = rng.integers(0, 2**63, _N_PROBED).astype(np.uint64)
        cells = _drawn(population, shape, keys, class_id, grid, rng)
        bodies = population.shape.body_um(cells, shape, grid)
        return cls(
            population,
            name,
            shape,
            class_id,
            float(_volumes(population, shape, cells, grid).mean()),
            float((_unit(grid) * bodies.prod(axis=1)).mean()),
            float(bodies.min()),
            float(shape.half_extents_um(cells, grid).max()),
        )

    def draw(self, keys: UInt64[np.ndarray, " n"], grid: Grid, rng: np.random.Generator) -> Objects:
        """Cells with these keys, all at the origin."""
        return _drawn(self.population, self.shape, keys, self.class_id, grid, rng)

    def volumes(self, cells: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Areas or volumes in um2 or um3."""
        return _volumes(self.population, self.shape, cells, grid)

    def body_um(self, cells: Objects, grid: Grid) -> Points:
        """Semi-axes of the ellipsoids that no other cell may enter."""
        return self.population.shape.body_um(cells, self.shape, grid)


def kinds_of(populations: tuple[Population, ...], grid: Grid) -> tuple[Kind, ...]:
    """Populations on a grid, classes counted from 1 among the labelled ones and among the others."""
    counts = {True: 0, False: 0}
    kinds = []
    for population in populations:
        counts[population.is_labelled] += 1
        number = counts[population.is_labelled]
        name = population.name or ("cells" if len(populations) == 1 else f"cells_{len(kinds) + 1}")
        kinds.append(Kind.of(population, name, number, grid))
    names = [kind.name for kind in kinds]
    if twice := [name for name in names if names.count(name) > 1]:
        raise RecipeError(f"labels: two populations are called {twice[0]!r}; give each a name of its own")
    return tuple(kinds)


def common_shape(kinds: list[Kind]) -> AbstractShape:
    """The one shape of all kinds, or each its own."""
    first = kinds[0].shape
    if all(kind.shape == first for kind in kinds):
        return first
    return Mixed({kind.class_id: kind.shape for kind in kinds})


def joined(tables: list[Objects]) -> Objects:
    """Tables one below the other."""
    columns = [f.name for f in fields(Objects) if f.name != "parent"]  # cells are no parts of others
    return Objects(*(np.concatenate([getattr(t, name) for t in tables]) for name in columns))


def _volumes(population: Population, shape: AbstractShape, cells: Objects, grid: Grid) -> np.ndarray:
    return _unit(grid) * cells.semi_axes_um.prod(axis=1) * population.shape.factor(cells, shape, grid)


def _unit(grid: Grid) -> float:
    """Area of the unit disc or volume of the unit ball."""
    return np.pi if grid.ndim == 2 else 4 / 3 * np.pi


def _drawn(
    population: Population,
    shape: AbstractShape,
    keys: np.ndarray,
    class_id: int,
    grid: Grid,
    rng: np.random.Generator,
) -> Objects:
    """Cells without a place: ellipsoids as the population describes them, then the frames that the shape needs."""
    n, ndim = len(keys), grid.ndim
    radius = population.radius_um.sample(n, rng)
    minor = [population.thickness_ratio or population.axis_ratio, population.axis_ratio][3 - ndim :]
    ratios = np.column_stack([np.minimum(r.sample(n, rng), 1.0) for r in minor] + [np.ones(n)])
    semi_axes = radius[:, None] * ratios / np.prod(ratios, axis=1, keepdims=True) ** (1 / ndim)
    rotation = random_rotations(n, ndim, rng)
    if ndim == 3 and population.orientation != "random":
        azimuth = rng.uniform(0, 2 * np.pi, n)
        along = np.column_stack([np.zeros(n), np.sin(azimuth), np.cos(azimuth)])
        if population.orientation == "upright":
            along = np.tile([1.0, 0.0, 0.0], (n, 1))
            rotation = align_last_axis(along, turn=azimuth)
        else:
            # Lying flat: the shortest axis stands up.
            semi_axes[:, :2] = np.sort(semi_axes[:, :2], axis=1)
            rotation = align_last_axis(along)
    intensity = population.intensity.sample(n, rng)
    classes = np.full(n, class_id, np.int32)
    cells = Objects(np.zeros((n, ndim)), semi_axes, rotation, intensity, classes, keys)
    semi_axes, rotation = population.shape.framed(cells, shape, grid, rng)
    return replace(cells, semi_axes_um=semi_axes, rotation=rotation)
