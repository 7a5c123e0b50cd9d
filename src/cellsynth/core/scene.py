"""Scene: the objects of a sample, and how to draw the labels of any box of its grid."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, UInt64

from .field import LatticeField
from .grid import Box, Grid
from .rng import Key
from .types import Labels, Points


@dataclass(frozen=True, eq=False)
class Objects:
    """Table of the objects of a scene; row `i` is the object with label `i + 1`.

    `centre_um`, `semi_axes_um` and `rotation` are a frame for every shape: the best ellipsoid. They
    place textures and shading; the outline is the business of the shape.
    """

    centre_um: Points
    """(n, d), `zyx`; may lie outside of the grid for objects that the border cuts."""

    semi_axes_um: Points
    """(n, d), positive."""

    rotation: Float[np.ndarray, "n d d"]
    """Column `j` is the direction of semi-axis `j`; orthonormal."""

    intensity: Float[np.ndarray, " n"]
    """Brightness relative to a typical cell, which has 1."""

    class_id: Integer[np.ndarray, " n"]
    """From 1."""

    key: UInt64[np.ndarray, " n"]
    """What the object's own random numbers (outline, texture) are keyed by."""

    def __len__(self) -> int:
        return len(self.centre_um)

    def take(self, index: np.ndarray) -> "Objects":
        """Keep the objects at `index` (integers or booleans), in that order."""
        return Objects(
            self.centre_um[index],
            self.semi_axes_um[index],
            self.rotation[index],
            self.intensity[index],
            self.class_id[index],
            self.key[index],
        )

    def to_columns(self) -> dict[str, Any]:
        """One named column per number, for a table of objects."""
        names = "zyx"[-self.centre_um.shape[1] :]
        columns: dict[str, Any] = {"label": np.arange(1, len(self) + 1), "class_id": self.class_id}
        columns |= {f"centre_{axis}_um": self.centre_um[:, i] for i, axis in enumerate(names)}
        columns |= {f"semi_axis_{i}_um": self.semi_axes_um[:, i] for i in range(len(names))}
        columns["intensity"] = self.intensity
        return columns


class AbstractShape(ABC):
    """How the objects of a scene look: turns the table into labels."""

    @abstractmethod
    def draw(self, objects: Objects, grid: Grid, box: Box) -> Labels:
        """Labels of `box` (int32). The same voxel has the same label whatever box it is drawn in."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects on a grid, and their shape."""

    grid: Grid
    objects: Objects
    shape: AbstractShape

    tissue: LatticeField | None = None
    """Depth inside of the tissue that the objects lie in, negative outside; None where it fills the grid."""

    def draw(self, box: Box | None = None) -> Labels:
        """Labels of `box`, by default of the whole grid: int32, 0 background, `i + 1` for row `i`."""
        return self.shape.draw(self.objects, self.grid, box or self.grid.box)

    def only_visible(self, min_voxels: int = 1) -> "Scene":
        """Drop the objects that show fewer than `min_voxels` in the grid; labels stay without gaps.

        Removing an object never changes which voxels show another one where shapes do not overlap; where they
        do, a neighbour may grow into the freed voxels.
        """
        counts = np.zeros(len(self.objects) + 1, np.int64)
        for box in self.grid.boxes((256,) * self.grid.ndim):
            counts += np.bincount(self.draw(box).ravel(), minlength=len(counts))
        return replace(self, objects=self.objects.take(np.flatnonzero(counts[1:] >= min_voxels)))


SceneFn = Callable[[Key], Scene]
"""What a label generator builds: a key to a scene."""
