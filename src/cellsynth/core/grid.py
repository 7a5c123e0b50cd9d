"""Grid: the sampling of space, one truth for all stages; Box: a part of it."""

from dataclasses import dataclass
from math import prod
from typing import Annotated

import numpy as np
from annotated_types import Len
from pydantic import PositiveFloat, PositiveInt, model_validator

from .config import Config


@dataclass(frozen=True)
class Box:
    """Axis-aligned part of a grid: voxel indices from `start` (included) to `stop` (excluded), `zyx`."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels per axis."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def slices(self) -> tuple[slice, ...]:
        """Index of the box in an array of the whole grid."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))


class Grid(Config):
    """Regular sampling of space.

    Voxel `i` along an axis covers `[i, i + 1) * voxel_um`; its centre is at `(i + 0.5) * voxel_um`.
    """

    shape_px: Annotated[tuple[PositiveInt, ...], Len(2, 3)] = (256, 256)
    """Voxels per axis, `Z Y X` or `Y X`."""

    voxel_um: Annotated[tuple[PositiveFloat, ...], Len(2, 3)] = (1.0, 1.0)
    """Size of a voxel per axis, in micrometres."""

    is_scale_known: bool = True
    """False where no file and no user gave a pixel size: then a voxel counts as 1 um, and lengths are pixels."""

    @model_validator(mode="after")
    def _check_axes(self) -> "Grid":
        if len(self.shape_px) != len(self.voxel_um):
            raise ValueError(
                f"shape_px has {len(self.shape_px)} axes and voxel_um has {len(self.voxel_um)}; give one size per axis"
            )
        return self

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return len(self.shape_px)

    @property
    def n_voxels(self) -> int:
        """Voxels in all."""
        return prod(self.shape_px)

    @property
    def extent_um(self) -> tuple[float, ...]:
        """Physical size per axis."""
        return tuple(n * v for n, v in zip(self.shape_px, self.voxel_um, strict=True))

    @property
    def unit(self) -> str:
        """What lengths are measured in: `um`, or `px` where the scale is not known."""
        return "um" if self.is_scale_known else "px"

    @property
    def box(self) -> Box:
        """The whole grid."""
        return Box((0,) * self.ndim, self.shape_px)

    def boxes(self, shape_px: tuple[int, ...]) -> list[Box]:
        """Cut the grid into boxes of at most `shape_px`, in C order, without overlap."""
        starts = np.stack(
            np.meshgrid(
                *(np.arange(0, n, step) for n, step in zip(self.shape_px, shape_px, strict=True)),
                indexing="ij",
            ),
            axis=-1,
        ).reshape(-1, self.ndim)
        return [
            Box(
                tuple(int(a) for a in start),
                tuple(
                    min(int(a) + step, n) for a, step, n in zip(start, shape_px, self.shape_px, strict=True)
                ),
            )
            for start in starts
        ]
