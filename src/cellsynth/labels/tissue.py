"""Tissue without gaps: cells with walls, their membranes and one nucleus in each, in 2D and 3D."""

import logging
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import PositiveFloat, PositiveInt, model_validator

from ..core.distribution import Distribution
from ..core.errors import RecipeError
from ..core.grid import Grid
from ..core.rng import Key
from ..core.scene import Objects, Scene, SceneFn
from ..core.shapes import Enclosed, Voronoi
from ..core.tessellation import Extents, Tessellation
from ..core.warp import Warp
from ._nuclei import place_nuclei
from ._seeds import spread_seeds
from ._tissue_room import UNIT, Amount, Room, mean_radius, room_for
from .base import AbstractLabelGenerator, registry
from .regions import AbstractRegion
from .regions import registry as regions

_log = logging.getLogger(__name__)

_REACH = 5.0
"""Largest radii (and half a layer) from its seed that a cell reaches at most; nearly none reaches two."""

_WAVE_LENGTH = 1.2
"""Mean radii over which walls bend."""

_NOISE_SD = 0.25
"""Of lattice noise."""

_LEAST_RATIO = 0.005
"""Volume of a nucleus over that of its cell."""

_MIN_VOXELS = 4
"""Of a cell (or a nucleus that is the target) to count as shown."""


@registry.register
class Tissue(AbstractLabelGenerator):
    """Epithelium or solid tissue: cells that share their walls, with membranes and nuclei as further label images.

    The labels of a cell, its membrane and its nucleus are one number. A cell that the border of the grid cuts may show
    without its nucleus, so the labels of `nuclei` and `membranes` may have gaps, and their tables rows without voxels.
    With nuclei as the target it is the other way around: their labels have no gaps, and cells whose nucleus is outside
    of the grid shine but are not labelled.
    """

    kind: Literal["tissue"] = "tissue"

    target: Literal["cells", "nuclei"] = "cells"
    """What the labels of the sample show; the others are its parts."""

    n_cells: PositiveInt | None = None
    """Cells in the part of the region that lies in the grid; the sizes are scaled until they fill it."""

    density: PositiveFloat | None = None
    """Cells per mm2 of a plane or mm3 of a volume, instead."""

    radius_um: Distribution = Distribution(median=6.0, log_sd=0.1)
    """Radius of the circle (ball) of equal area (volume), in a single layer of the circle of equal cross-section; the
    number of cells follows. Where `n_cells` or `density` is given, the sizes relative to each other."""

    region: Annotated[AbstractRegion, *regions.field()] = regions.parse("everywhere")
    """Where there is tissue; it fills it."""

    is_single_layer: bool = False
    """One layer of cells across the region, from side to side: a columnar epithelium in a slab, the wall of a cyst
    in an ellipsoid with a core."""

    regularity: Annotated[float, Interval(ge=0, le=1)] = 0.9
    """0: seeds at random, and cells of very unequal size and shape; 1: as even as a packing of balls. From about 0.7 on
    sizes are those asked for to some parts in a hundred; in a volume their spread is narrower by a fifth to a third."""

    waviness: Annotated[float, Interval(ge=0, le=0.1)] = 0.04
    """Standard deviation of a wall from straight, along each axis, relative to the mean radius."""

    membrane_um: PositiveFloat = 0.5
    """Thickness of the membranes between two cells, of which each has half; the border of the tissue has that of one.
    In voxels larger than half of it the label has holes."""

    nucleus_ratio: Distribution = Distribution(low=0.25, high=0.35)
    """Volume (area) of the nucleus over that of the cell. Above 0.4 or so many do not fit, and are smaller."""

    nucleus_elongation: Annotated[float, Interval(ge=0, le=1)] = 0.6
    """0: nuclei are round; 1: as elongated as their cells."""

    nucleus_irregularity: Annotated[float, Interval(ge=0, lt=0.6)] = 0.08
    """Largest relative deviation of the outline of a nucleus from an ellipsoid."""

    intensity: Distribution = Distribution(median=1.0)
    """Brightness of cells and membranes; 1 is what the renderer calls typical."""

    nucleus_intensity: Distribution = Distribution(median=1.0)
    """Brightness of nuclei."""

    @model_validator(mode="after")
    def _check(self) -> "Tissue":
        if self.n_cells is not None and self.density is not None:
            raise ValueError("give one of n_cells and density, or neither; saw both")
        least = float(self.nucleus_ratio.at(np.zeros(1))[0])
        if least < _LEAST_RATIO:
            raise ValueError(
                f"nucleus_ratio goes down to {least:.3g}; every cell has a nucleus, of at least {_LEAST_RATIO:g} of it"
            )
        if self.nucleus_ratio.upper >= 1:
            raise ValueError(
                f"nucleus_ratio goes up to {self.nucleus_ratio.upper:g}; a nucleus is smaller than its cell, and more "
                "than 0.5 of it hardly fits"
            )
        if self.is_single_layer and self.region.is_everywhere:
            raise ValueError(
                "is_single_layer needs a region with two sides: slab, or ellipsoid with a core; in a plane the cells "
                "of the region everywhere are one layer already"
            )
        if self.n_cells is None and self.density is None:
            self._check_membrane(self._smallest_radius_um)
        return self

    def build(self, grid: Grid, device: str = "cpu") -> SceneFn:
        """Make the function that grows a random tissue on `grid`."""
        room = self._room(grid, Key.from_seed(0))
        return partial(_grow, self, grid, None if self.region.is_random else room)

    def _room(self, grid: Grid, key: Key) -> Room:
        amount = Amount(self.n_cells, self.density, self.radius_um)
        room = room_for(self.region, amount, grid, key, is_single_layer=self.is_single_layer)
        self._check_membrane(self._smallest_radius_um * room.radius_um / mean_radius(self.radius_um, room.d))
        return room

    @property
    def _smallest_radius_um(self) -> float:
        return float(self.radius_um.at(np.array([0.01]))[0])

    def _check_membrane(self, smallest_um: float) -> None:
        if self.membrane_um >= smallest_um:
            raise RecipeError(
                f"membrane_um is {self.membrane_um:g} and small cells have a radius of {smallest_um:.3g} um; membranes "
                "are thinner than that"
            )


def _grow(config: Tissue, grid: Grid, room: Room | None, key: Key) -> Scene:
    """Place seeds, measure their cells, put a nucleus into each, keep what shows in the grid."""
    room = room or config._room(grid, key.child("region"))
    flat, n = 3 - grid.ndim, room.n_cells
    rng = key.child("cells").generator()
    radius = config.radius_um.sample(n, rng)
    radius *= (room.volume / (UNIT[room.d] * radius**room.d).sum()) ** (1 / room.d)
    all_keys = np.array([key.child("object", i).uint64() for i in range(n)], np.uint64)
    reach_um = _REACH * float(radius.max()) + (room.across_um if room.d < grid.ndim else 0.0)
    seeds, weights = spread_seeds(
        all_keys, radius, room.low_um, room.high_um, room.walls,
        regularity=config.regularity, d=room.d, ndim=grid.ndim, reach_um=reach_um,
    )  # fmt: skip
    mean = float(radius.mean())
    length = _WAVE_LENGTH * mean
    warp = Warp(key.child("warp").uint64(), config.waviness * mean / _NOISE_SD, length)
    diagram = Tessellation(seeds, weights, all_keys, np.full(n, reach_um), warp, room.walls, grid.ndim == 2)
    diagram = diagram.with_seeds_inside().within_sight()
    n = len(diagram)
    if not n:
        raise RecipeError(
            "labels: no cell found a place in the region; give smaller cells, or a larger region"
        )
    semi_axes, rotation = frames(diagram.extents, grid.ndim)
    nuclei = place_nuclei(
        diagram, *_in_3d(semi_axes, rotation), config.nucleus_ratio.sample(n, rng), config.nucleus_elongation,
        config.membrane_um, config.nucleus_irregularity,
    )  # fmt: skip
    if nuclei.is_smaller.mean() > _MANY_SMALLER:
        _log.warning(
            "%.0f %% of the nuclei have no room in their cells at the size asked for and are smaller; give a smaller "
            "nucleus_ratio, a thinner membrane, or more regularity",
            100 * nuclei.is_smaller.mean(),
        )
    classes = np.ones(n, np.int32)

    centre_um = warp.unwarped(diagram.extents.centroid_um, is_flat=grid.ndim == 2)
    intensity, nucleus_intensity = config.intensity.sample(n, rng), config.nucleus_intensity.sample(n, rng)
    bodies = Objects(
        np.ascontiguousarray(centre_um[:, flat:]), semi_axes, rotation, intensity, classes, diagram.key
    )
    kernels = Objects(
        np.ascontiguousarray(nuclei.centre_um[:, flat:]), np.ascontiguousarray(nuclei.semi_axes_um[:, flat:]), rotation,
        nucleus_intensity, classes, diagram.key,
    )  # fmt: skip
    return _scene_of(config, grid, diagram, bodies, kernels)


_MANY_SMALLER = 0.1
"""Part of the nuclei that may be smaller than asked for without a word."""


def _scene_of(config: Tissue, grid: Grid, diagram: Tessellation, bodies: Objects, kernels: Objects) -> Scene:
    """The target with its parts; rows are cells of the tessellation."""
    n_voxels = Scene(grid, bodies, Voronoi(diagram), diagram.walls).count_voxels(_MIN_VOXELS)
    shown = n_voxels >= _MIN_VOXELS
    # What shows as a voxel or three at the border of the grid makes room for its neighbours.
    is_sliver = (n_voxels > 0) & ~shown
    diagram = diagram.take(~is_sliver)
    shapes = {
        part: Voronoi(diagram, part, config.membrane_um) for part in ("cells", "membranes", "interiors")
    }
    inside = Enclosed(shapes["interiors"], config.nucleus_irregularity)
    bodies, kernels = bodies.take(shown), kernels.take(shown)
    layers = {
        "cells": Scene(grid, bodies, shapes["cells"], diagram.walls),
        "membranes": Scene(grid, bodies, shapes["membranes"], diagram.walls, "membranes"),
        "nuclei": Scene(grid, kernels, inside, diagram.walls, "nuclei"),
    }
    if config.target == "nuclei":
        seen = layers["nuclei"].only_visible(_MIN_VOXELS).objects.key
        is_seen = np.isin(kernels.key, seen)
        layers = {name: _split(layer, is_seen) for name, layer in layers.items()}
    main = layers.pop(config.target)
    return replace(main, parts=layers)


def _split(scene: Scene, is_labelled: np.ndarray) -> Scene:
    """Some of the objects; the others shine without labels."""
    others = replace(scene, objects=scene.objects.take(~is_labelled))
    return replace(scene, objects=scene.objects.take(is_labelled), unlabelled=others)


def frames(extents: Extents, ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Semi-axes (n, d), the last the longest, and rotations (n, d, d) of the ellipsoids with the moments of cells."""
    flat = 3 - ndim
    variance, rotation = np.linalg.eigh(extents.covariance[:, flat:, flat:])
    # A solid ellipse has variance a^2 / 4 along a semi-axis a, a solid ellipsoid a^2 / 5.
    return np.sqrt(np.maximum(variance * (ndim + 2), _LEAST_UM**2)), rotation


_LEAST_UM = 1e-6
"""Semi-axis of what has no extent."""


def _in_3d(semi_axes: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, ndim = semi_axes.shape
    if ndim == 3:
        return semi_axes, rotation
    turned = np.zeros((n, 3, 3))
    turned[:, 0, 0] = 1.0
    turned[:, 1:, 1:] = rotation
    return np.column_stack([np.ones(n), semi_axes]), turned
