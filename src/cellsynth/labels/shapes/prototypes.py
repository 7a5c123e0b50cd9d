"""Real cells out of a bank."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import PositiveFloat, model_validator

from ...core import shapes
from ...core.errors import InputError
from ...core.grid import Grid
from ...core.scene import AbstractShape, Objects
from ...core.types import Points
from ...io.prototypes import read_prototypes
from .base import AbstractShapeKind, registry

Range = tuple[PositiveFloat, PositiveFloat]


@registry.register
class Prototypes(AbstractShapeKind):
    """Real cells cut out of labelled images, with their grey values: turned, stretched, deformed, never inflated.

    The defaults are the strengths of the published augmentation [1]_. Which way a cell lies follows from its image, not
    from `orientation`, and its proportions are its own, not `axis_ratio`.

    References
    ----------
    .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures for training and
       benchmarking", PLOS ONE 18 (2023) e0283828.
    """

    kind: Literal["prototypes"] = "prototypes"

    path: Path
    """Bank of prototypes, an `.npz` file as `cellsynth extract-prototypes` makes it; of the dimension of the grid."""

    is_size_kept: bool = True
    """Whether cells have the size they were imaged with; else it is the radius of the population."""

    turn_deg: Annotated[float, Interval(ge=0, le=180)] = 180.0
    """Largest turn about z (in 2D within the plane), to either side."""

    tilt_deg: Annotated[float, Interval(ge=0, le=180)] = 0.0
    """Largest turn about the other axes; 20 was published and not used."""

    scale: Range = (0.8, 1.3)
    """Range of the factor of each semi-axis."""

    elastic: Annotated[float, Interval(ge=0, le=0.2)] = 0.08
    """Largest shift of a place by the elastic deformation, in semi-axes; more would tear cells apart."""

    contrast: Range = (0.65, 1.1)
    """Range of the factor by which the grey values of a cell are spread about their mean."""

    gamma: Range = (0.5, 1.5)
    """Range of the exponent of its grey values."""

    blur: Annotated[float, Interval(ge=0, le=1)] = 1.0
    """Largest part of a blurred copy that the grey values are mixed with."""

    @model_validator(mode="after")
    def _check_ranges(self) -> "Prototypes":
        for name in ("scale", "contrast", "gamma"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is a range [least, most]; saw {[low, high]}")
        return self

    def shape(self, grid: Grid) -> AbstractShape:
        if not self.path.is_file():
            raise InputError(
                f"{self.path}: there is no such file; shape prototypes needs a bank of prototypes (.npz); "
                "`cellsynth extract-prototypes` makes one of labelled images"
            )
        bank = _read(self.path, self.path.stat().st_mtime_ns)
        if bank.ndim != grid.ndim:
            raise InputError(
                f"{self.path}: the prototypes are {bank.ndim}D and the grid is {grid.ndim}D; cut prototypes out of "
                f"{grid.ndim}D images"
            )
        strengths = shapes.Prototypes.augmented(bank)
        return shapes.Prototypes(
            bank, self.elastic, strengths.elastic_lobes, self.contrast, self.gamma, self.blur
        )

    def framed(
        self, cells: Objects, shape: AbstractShape, grid: Grid, rng: np.random.Generator
    ) -> tuple[Points, np.ndarray]:
        assert isinstance(shape, shapes.Prototypes)
        axes, rotation = shape.bank.frames(cells.key, self.turn_deg, self.tilt_deg, self.scale)
        if self.is_size_kept:
            return axes, rotation
        asked, own = (np.prod(a, axis=1, keepdims=True) for a in (cells.semi_axes_um, axes))
        return axes * (asked / own) ** (1 / grid.ndim), rotation


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int) -> shapes.PrototypeBank:
    """A bank, kept for the next samples: its frames and distances take longer than drawing with them."""
    return read_prototypes(path)
