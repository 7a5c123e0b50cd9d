"""Ellipses or ellipsoids with a smooth rough outline: the general generator of round cells and nuclei."""

from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import NonNegativeFloat, NonNegativeInt, model_validator
from scipy.special import ndtr

from ..core.distribution import Distribution
from ..core.errors import RecipeError
from ..core.grid import Grid
from ..core.rng import Key
from ..core.scene import Objects, Scene, SceneFn
from ..core.shapes import Ellipsoid
from ._adgan_rule import place_by_rejection
from ._placement import place
from ._rotations import random_rotations
from .base import AbstractLabelGenerator, registry

MOST_COVER = 20.0
"""Area of all cells over that of the field: at 1 it is full, and few more find a place however long one tries."""

Fraction = Annotated[float, Interval(ge=0, le=1)]


@registry.register
class Ellipsoids(AbstractLabelGenerator):
    """Round cells: a density, a size distribution, elongation, and a share of cells that touch."""

    kind: Literal["ellipsoids"] = "ellipsoids"

    n_cells: NonNegativeInt | tuple[NonNegativeInt, NonNegativeInt] | None = 50
    """Cells whose centre lies in the grid, or a range to draw the number from; a crowded field keeps fewer."""

    density_per_mm2: NonNegativeFloat | None = None
    """Cells per square millimetre, instead of `n_cells`; 2D only. Where the scale is not known a pixel counts
    as 1 um, so this is cells per million pixels."""

    radius_um: Distribution = Distribution(low=4.0, high=7.0)
    """Radius of the circle (sphere) of equal area (volume); with `placement: adgan` the semi-major axis."""

    axis_ratio: Distribution = Distribution(low=0.66, high=0.97)
    """Each minor axis over the major axis, at most 1."""

    irregularity: Annotated[float, Interval(ge=0, lt=0.6)] = 0.0
    """Largest relative deviation of the outline from an ellipse."""

    intensity: Distribution = Distribution(median=1.0)
    """Brightness of a cell; 1 is what the renderer calls typical."""

    size_brightness: Annotated[float, Interval(ge=-0.95, le=0.95)] = 0.0
    """Correlation (of normal scores) between size and brightness: below 0 small cells are bright, as dividing and
    dying nuclei are."""

    touching: Fraction = 0.1
    """Share of cells that are put in contact with another one."""

    overlap: Annotated[float, Interval(ge=0, lt=0.6)] = 0.0
    """Share of the contact distance by which cells in contact may interpenetrate; labels share the overlap."""

    min_gap_um: NonNegativeFloat = 0.0
    """Free space around cells that are not in contact."""

    patchiness: Annotated[float, Interval(ge=0, le=4)] = 0.0
    """How unevenly cells are spread: 0 even, 2 patches beside empty places."""

    placement: Literal["sequential", "adgan"] = "sequential"
    """`adgan` is the published rule of AD-GAN's mask synthesis: see `place_by_rejection`."""

    eccentricity: tuple[Fraction, Fraction] = (0.25, 0.75)
    """Range of the eccentricity under `placement: adgan`, which does not use `axis_ratio`."""

    @model_validator(mode="after")
    def _check_count(self) -> "Ellipsoids":
        if (self.n_cells is None) == (self.density_per_mm2 is None):
            raise ValueError(
                "give either n_cells or density_per_mm2, and write null for the other (density_per_mm2: null)"
            )
        if isinstance(self.n_cells, tuple) and self.n_cells[0] > self.n_cells[1]:
            raise ValueError(f"n_cells is a range [fewest, most]; saw {list(self.n_cells)}")
        typical = float(self.axis_ratio.at(np.array([0.5]))[0])
        if typical > 1:  # tails above 1 are cut off
            raise ValueError(f"axis_ratio is minor over major, at most 1; its median is {typical:g}")
        return self

    @model_validator(mode="after")
    def _check_adgan(self) -> "Ellipsoids":
        if self.eccentricity[0] > self.eccentricity[1]:
            raise ValueError(f"eccentricity is a range [least, most]; saw {list(self.eccentricity)}")
        if self.placement == "adgan" and self.n_cells is None:
            raise ValueError("placement: adgan needs n_cells: [fewest, most], not a density")
        if self.placement == "adgan" and (self.radius_um.low is None or self.radius_um.high is None):
            raise ValueError("placement: adgan needs radius_um: [smallest, largest]")
        return self

    def build(self, grid: Grid, device: str = "cpu") -> SceneFn:
        """Make the function that scatters cells on `grid` (2D or 3D)."""
        if self.density_per_mm2 is not None and grid.ndim == 3:
            raise RecipeError("density_per_mm2 is for 2D grids; give n_cells for a volume")
        _check_crowding(self, grid)
        rule = _scatter_by_rejection if self.placement == "adgan" else _scatter
        return partial(rule, self, grid)


def _check_crowding(config: Ellipsoids, grid: Grid) -> None:
    """Refuse more cells than can ever be placed; trying takes for ever, or all memory."""
    field = float(np.prod(grid.extent_um))
    if config.density_per_mm2 is not None:
        what, n = f"density_per_mm2 is {config.density_per_mm2:g}", config.density_per_mm2 * field / 1e6
    else:
        most = max(config.n_cells) if isinstance(config.n_cells, tuple) else config.n_cells or 0
        what, n = f"n_cells is {config.n_cells}", float(most)
    radius = config.radius_um.mean
    cover = n * (np.pi * radius**2 if grid.ndim == 2 else 4 / 3 * np.pi * radius**3) / field
    if n > grid.n_voxels or cover > MOST_COVER:
        raise RecipeError(
            f"labels.{what}, which is {n:.3g} cells of radius {radius:.3g} in a field of {list(grid.shape_px)} pixels: "
            f"they would cover it {cover:.3g} times, and up to {MOST_COVER:g} times is tried. Give fewer or smaller "
            "cells"
        )


def _scatter(config: Ellipsoids, grid: Grid, key: Key) -> Scene:
    """Draw sizes and poses, place them in the grid and a margin around it, keep what shows in the grid."""
    rng = key.child("population").generator()
    extent = np.asarray(grid.extent_um)
    margin = 1.5 * config.radius_um.upper
    # The margin holds cells whose centre is outside, so that the border cuts cells as a camera does.
    n = round(_n_in_grid(config, grid, rng) * float(np.prod((extent + 2 * margin) / extent)))
    radius, intensity = _sizes_and_brightness(config, n, rng)
    semi_axes = _semi_axes(config, radius, grid.ndim, rng)
    rotation = random_rotations(n, grid.ndim, rng)
    keys = np.array([key.child("object", i).uint64() for i in range(n)], np.uint64)
    centre, kept = place(
        keys,
        semi_axes,
        rotation,
        np.full(grid.ndim, -margin),
        extent + margin,
        config.touching,
        config.overlap,
        config.min_gap_um,
        config.patchiness,
        14 * config.radius_um.mean,
        key.child("patches").uint64(),
    )
    objects = Objects(centre, semi_axes, rotation, intensity, np.ones(n, np.int32), keys).take(kept)
    shape = Ellipsoid(config.irregularity)
    return Scene(grid, objects.take(_reaches(objects, grid)), shape).only_visible(min_voxels=4)


def _scatter_by_rejection(config: Ellipsoids, grid: Grid, key: Key) -> Scene:
    """Scene by the published rule; counts and radii as the recipe gives them."""
    n = config.n_cells if isinstance(config.n_cells, tuple) else (config.n_cells or 0, config.n_cells or 0)
    radius = (config.radius_um.low or 0.0, config.radius_um.high or 0.0)
    centre, axes, rotation = place_by_rejection(
        grid, n, radius, config.eccentricity, key.child("adgan").generator()
    )
    keys = np.array([key.child("object", i).uint64() for i in range(len(centre))], np.uint64)
    intensity = config.intensity.sample(len(centre), key.child("intensity").generator())
    objects = Objects(centre, axes, rotation, intensity, np.ones(len(centre), np.int32), keys)
    return Scene(grid, objects, Ellipsoid()).only_visible()


def _n_in_grid(config: Ellipsoids, grid: Grid, rng: np.random.Generator) -> float:
    if config.density_per_mm2 is not None:
        return config.density_per_mm2 * float(np.prod(grid.extent_um)) / 1e6
    if isinstance(config.n_cells, tuple):
        return float(rng.integers(config.n_cells[0], config.n_cells[1] + 1))
    return float(config.n_cells or 0)


def _sizes_and_brightness(
    config: Ellipsoids, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Radius in um and intensity of n cells, joined by a Gaussian copula."""
    z = rng.standard_normal((2, n))
    rho = config.size_brightness
    z[1] = rho * z[0] + np.sqrt(1 - rho**2) * z[1]
    return config.radius_um.at(ndtr(z[0])), config.intensity.at(ndtr(z[1]))


def _semi_axes(config: Ellipsoids, radius: np.ndarray, ndim: int, rng: np.random.Generator) -> np.ndarray:
    """(n, d), the last axis the longest; the product is the d-th power of the radius."""
    n = len(radius)
    ratios = np.column_stack(
        [np.minimum(config.axis_ratio.sample(n, rng), 1.0) for _ in range(ndim - 1)] + [np.ones(n)]
    )
    return radius[:, None] * ratios / np.prod(ratios, axis=1, keepdims=True) ** (1 / ndim)


def _reaches(objects: Objects, grid: Grid) -> np.ndarray:
    """Which objects can show in the grid: their sphere of the longest axis (and outline) reaches it."""
    reach = 1.6 * objects.semi_axes_um.max(axis=1, keepdims=True, initial=0)
    extent = np.asarray(grid.extent_um)
    return np.all((objects.centre_um > -reach) & (objects.centre_um < extent + reach), axis=1)
