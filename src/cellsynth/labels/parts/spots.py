"""Fluorescent spots: FISH dots, vesicles, granules; inside of cells or free, single or in clusters."""

import math
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval
from jaxtyping import Float
from pydantic import PositiveFloat, model_validator

from ...core.config import Config
from ...core.count import Count
from ...core.distribution import Distribution
from ...core.errors import RecipeError
from ...core.grid import Grid
from ...core.rng import Key
from ...core.scene import Objects, Scene
from ...core.shapes import Spot
from ...core.shapes import to_3d as frames_in_3d
from ._places import (
    Places,
    keyed_shares,
    labels_at,
    place_freely,
    place_in_cells,
    refuse_too_many,
    wanted_in_cells,
)
from .base import AbstractPart, PartFn, registry

_RADIUS, _INTENSITY = 90, 91


class Cluster(Config):
    """Spots around a centre, by a Gaussian."""

    n_spots: Count = Count(low=10, high=10)
    """Spots in a cluster."""

    spread_um: PositiveFloat = 1.0
    """Standard deviation along each axis; of a stretched cluster what `matrix` multiplies, or with `stretch: cell` the
    geometric mean over its axes."""

    stretch: Literal["none", "cell"] = "none"
    """`cell`: as long and turned as the cell, by its second moments."""

    matrix: tuple[tuple[float, ...], ...] | None = None
    """Instead of `stretch`: offsets from the centre are `spread_um * matrix @ g`, of standard normal numbers `g`; one
    row and one column per axis, `zyx`. The covariance is `spread_um**2 * matrix @ matrix.T`."""

    @model_validator(mode="after")
    def _check_matrix(self) -> "Cluster":
        if self.matrix is None:
            return self
        if self.stretch != "none":
            raise ValueError(f"give either matrix or stretch: {self.stretch}, not both")
        n = len(self.matrix)
        if n not in (2, 3) or any(len(row) != n for row in self.matrix):
            raise ValueError(
                f"matrix is 2 x 2 or 3 x 3; saw rows of {[len(row) for row in self.matrix]} numbers"
            )
        size = np.linalg.norm(self.matrix)
        if abs(np.linalg.det(self.matrix)) <= 1e-9 * size**n:
            raise ValueError(
                f"matrix is singular ({[list(row) for row in self.matrix]}): it puts all spots on a line or plane; its "
                "rows must be independent"
            )
        return self


@registry.register
class Spots(AbstractPart):
    """Bright spots, many of them smaller than a pixel: so many per cell, or free in the image.

    What a cell has depends on its own key and the name of the part, and not on its neighbours. The centre of every spot
    lies in a voxel of its cell (where free: of the grid), and no two centres lie in the same voxel, so every spot shows
    in the labels; a cell that is too small for its spots keeps fewer. A cell that the border cuts has those of the part
    that shows, as far as its volume is known.
    """

    kind: Literal["spots"] = "spots"

    where: Literal["inside", "free"] = "inside"
    """In cells, or anywhere in the grid, whether a cell is there or not."""

    number: Count | None = Count(low=5, high=5)
    """Spots (clusters, where `cluster` is given) in a cell; where free, in the image."""

    density: PositiveFloat | None = None
    """Free spots (clusters) per mm2 of a plane or mm3 of a volume, on average, instead."""

    cluster: Cluster | None = None
    """Every spot becomes a cluster of several; null: single spots, everywhere as likely."""

    hosts: Annotated[float, Interval(ge=0, le=1)] = 1.0
    """Share of the cells that have any."""

    radius_um: Distribution = Distribution(median=0.25)
    """Radius of a spot."""

    intensity: Distribution = Distribution(median=1.0, log_sd=0.3)
    """Light per volume (area) of a spot, relative to that of a typical cell. The smaller a spot is against the
    resolution, the brighter it must be to be seen."""

    @model_validator(mode="before")
    @classmethod
    def _drop_default(cls, data: Any) -> Any:
        is_given = isinstance(data, dict) and data.get("density") is not None
        return {"number": None, **data} if is_given else data

    @model_validator(mode="after")
    def _check_amount(self) -> "Spots":
        if (self.number is None) == (self.density is None):
            raise ValueError("give either number or density, and null for the other (number: null)")
        if self.where == "inside" and self.density is not None:
            raise ValueError(
                "density is of free spots (where: free); inside of cells give number, which is per cell"
            )
        if self.where == "free" and self.hosts != 1:
            raise ValueError(
                f"hosts is {self.hosts:g}, and free spots have no cells; leave it out, or where: inside"
            )
        if self.where == "free" and self.cluster is not None and self.cluster.stretch == "cell":
            raise ValueError(
                "stretch: cell needs cells, and these spots are free; give a matrix, or where: inside"
            )
        if self.radius_um.at(np.zeros(1))[0] <= 0:
            raise ValueError("radius_um goes down to 0; spots have a radius above 0")
        return self

    def build(self, grid: Grid, device: str = "cpu") -> PartFn:
        if (
            self.cluster is not None
            and self.cluster.matrix is not None
            and len(self.cluster.matrix) != grid.ndim
        ):
            n = len(self.cluster.matrix)
            raise RecipeError(
                f"cluster.matrix is {n} x {n} and the grid {grid.shape_px} has {grid.ndim} axes; give one row and one "
                "column per axis"
            )
        return partial(add_spots, self, grid)


def add_spots(config: Spots, grid: Grid, scene: Scene, key: Key) -> Scene:
    """Draw the spots of a scene.

    Returns
    -------
    spots
        With the shape `Spot`; `objects.parent` is the label of the cell under the centre of each spot.
    """
    places = (
        _in_cells(config, scene, key) if config.where == "inside" else _anywhere(config, grid, scene, key)
    )
    n, d = len(places.key), grid.ndim
    radius = config.radius_um.at(keyed_shares(places.key, np.zeros(n, np.int64), _RADIUS))
    objects = Objects(
        centre_um=places.centre_um,
        semi_axes_um=np.repeat(radius[:, None], d, axis=1),
        rotation=np.tile(np.eye(d), (n, 1, 1)),
        intensity=config.intensity.at(keyed_shares(places.key, np.zeros(n, np.int64), _INTENSITY)),
        class_id=np.ones(n, np.int32),
        key=places.key,
        parent=places.parent,
    )
    return Scene(grid, objects, Spot(), scene.tissue, name=config.kind)


def _in_cells(config: Spots, scene: Scene, key: Key) -> Places:
    assert config.number is not None
    n_spots = None if config.cluster is None else config.cluster.n_spots
    # Of the cell and of the part: else two kinds of spots would lie in the same places of the same cells.
    keys = scene.objects.key ^ np.uint64(key.uint64())
    wanted = wanted_in_cells(keys, config.hosts, config.number, n_spots)
    return place_in_cells(scene, keys, wanted, _spread_of_cells(config.cluster, scene))


def _spread_of_cells(cluster: Cluster | None, scene: Scene) -> Float[np.ndarray, "m 3 3"] | None:
    """Matrix of every cell, or one for all; None where spots are single."""
    if cluster is None or cluster.stretch == "none":
        return None if cluster is None else _spread(cluster, scene.grid.ndim)[None]
    flat = 3 - scene.grid.ndim
    _, axes, rotation = frames_in_3d(scene.objects, scene.grid)
    own = axes[:, flat:]
    scale = np.zeros_like(axes)
    scale[:, flat:] = own / np.exp(np.log(own).mean(axis=1, keepdims=True))
    return cluster.spread_um * rotation * scale[:, None, :]


def _spread(cluster: Cluster, ndim: int) -> Float[np.ndarray, "3 3"]:
    matrix = np.zeros((3, 3))
    flat = 3 - ndim
    matrix[flat:, flat:] = np.eye(ndim) if cluster.matrix is None else cluster.matrix
    return cluster.spread_um * matrix


def _anywhere(config: Spots, grid: Grid, scene: Scene, key: Key) -> Places:
    rng = key.child("free").generator()
    if config.density is not None:
        n_sites = int(
            rng.poisson(config.density * math.prod(grid.extent_um) / (1e6 if grid.ndim == 2 else 1e9))
        )
    else:
        assert config.number is not None
        n_sites = int(config.number.at(rng.random(1))[0])
    refuse_too_many(n_sites)
    cluster = config.cluster
    n_spots = np.ones(n_sites, np.int64) if cluster is None else cluster.n_spots.at(rng.random(n_sites))
    spread = None if cluster is None else _spread(cluster, grid.ndim)[3 - grid.ndim :, 3 - grid.ndim :]
    centre_um = place_freely(grid, n_spots, spread, rng)
    keys = np.array([key.child("spot", i).uint64() for i in range(len(centre_um))], np.uint64)
    return Places(centre_um, labels_at(scene, centre_um), keys)
