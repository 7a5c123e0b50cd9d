"""Scene: the objects of a sample, and how to draw the labels of any box of its grid."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Integer, UInt64
from numba import njit

from .box_index import BoxIndex
from .canvas import Canvas
from .errors import RecipeError
from .field import LatticeField
from .grid import Box, Grid
from .parallel import available_cores, in_threads
from .rng import Key
from .types import Labels, Plane, Points


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

    parent: Integer[np.ndarray, " n"] | None = None
    """Label of the cell that the object belongs to, 0 for none; None where objects are no part of others."""

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
            None if self.parent is None else self.parent[index],
        )

    def to_columns(self) -> dict[str, Any]:
        """One named column per number, for a table of objects."""
        names = "zyx"[-self.centre_um.shape[1] :]
        columns: dict[str, Any] = {"label": np.arange(1, len(self) + 1), "class_id": self.class_id}
        if self.parent is not None:
            columns["cell_id"] = self.parent
        columns |= {f"centre_{axis}_um": self.centre_um[:, i] for i, axis in enumerate(names)}
        columns |= {f"semi_axis_{i}_um": self.semi_axes_um[:, i] for i in range(len(names))}
        along = self.longest_axis
        columns |= {f"orientation_{axis}": along[:, i] for i, axis in enumerate(names)}
        columns["intensity"] = self.intensity
        return columns

    @property
    def longest_axis(self) -> Points:
        """(n, d), unit vectors along the longest semi-axes; of the two directions the one towards greater x."""
        rows = np.arange(len(self))
        along = self.rotation[rows, :, self.semi_axes_um.argmax(axis=1)] if len(self) else self.centre_um
        return np.where(along[:, -1:] < 0, -along, along)


class AbstractShape(ABC):
    """How the objects of a scene look: turns the table into labels.

    The volume an object takes, and the box it stays in, are asked by whoever places objects.
    """

    needs_objects: ClassVar[bool] = True
    """Whether `compete` looks at the table; False where the labels are all there already."""

    is_point_source: ClassVar[bool] = False
    """Whether objects may be smaller than a voxel. Renderers then add the light of each, integrated over the voxels,
    and do not shade the voxels of its label."""

    @abstractmethod
    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Let `objects`, whose labels are `ids` (in any order), compete for the voxels of the canvas.

        What a voxel is compared by depends on the voxel and the object alone, so it is the same in whatever box.
        """

    @abstractmethod
    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """(n, d): an object owns no voxel whose centre is further than this from its own, along any axis."""

    @abstractmethod
    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Volume (area) of each object over that of the ellipsoid (ellipse) with its semi-axes."""

    def texture(self, labels: Labels, objects: Objects, grid: Grid, box: Box | None = None) -> Plane | None:
        """Brightness of each voxel relative to the mean of its object, where the shape knows it: a real cell does.

        Parameters
        ----------
        labels
            Of `box`, by default of the whole grid, as `draw` gives them.

        Returns
        -------
        texture
            0 in background, NaN where the shape does not know; None where it never does, and the renderer makes a
            texture up.
        """
        return None

    def draw(self, objects: Objects, grid: Grid, box: Box) -> Labels:
        """Labels of `box` (int32). The same voxel has the same label whatever box it is drawn in."""
        canvas = Canvas.blank(grid, box)
        self.compete(objects, np.arange(1, len(objects) + 1, dtype=np.int32), canvas)
        return canvas.labels


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects on a grid, and their shape."""

    grid: Grid
    objects: Objects
    shape: AbstractShape

    tissue: LatticeField | None = None
    """Depth inside of the tissue that the objects lie in, negative outside; None where it fills the grid."""

    name: str = "cells"
    """What the objects are."""

    class_names: tuple[str, ...] = ()
    """What the classes are called, from class 1; empty where there is one kind."""

    parts: "Mapping[str, Scene]" = field(default_factory=dict)
    """Further label images of the sample, by name: compartments, whose labels are those of the cells they belong to
    (`nuclei`, `membranes`), and things with labels of their own (`spots`). A part has no parts."""

    unlabelled: "Scene | None" = None
    """What shines but is in no label image: fragments, debris."""

    @property
    def layers(self) -> "dict[str, Scene]":
        """The labelled objects and the parts, by name; the first is what the labels of the sample show."""
        return {self.name: self, **self.parts}

    def on(self, grid: Grid) -> "Scene":
        """The same objects on another sampling of the same space.

        Raises
        ------
        RecipeError
            If the labels are given as pixels.
        """
        if not self.shape.needs_objects:
            raise RecipeError(
                f"{self.name} are given as pixels of {self.grid.shape_px} and cannot be drawn on another grid"
            )
        return replace(
            self,
            grid=grid,
            parts={name: part.on(grid) for name, part in self.parts.items()},
            unlabelled=None if self.unlabelled is None else self.unlabelled.on(grid),
        )

    def draw(self, box: Box | None = None) -> Labels:
        """Labels of `box`, by default of the whole grid: int32, 0 background, `i + 1` for row `i`."""
        box = box or self.grid.box
        n_planes = max(1, _SLAB * box.shape[0] // max(math.prod(box.shape), 1))
        if not self.shape.needs_objects or box.shape[0] <= n_planes:
            return self.paint(box).labels
        # Slab by slab, so that the distances take little memory, again and again the same.
        labels = np.zeros(box.shape, np.int32)
        nearness = np.empty(n_planes * math.prod(box.shape[1:]), np.float32)
        for z in range(0, box.shape[0], n_planes):
            owner = labels[z : z + n_planes]
            part = Box((box.start[0] + z, *box.start[1:]), (box.start[0] + z + len(owner), *box.stop[1:]))
            shape_3d = (1,) * (3 - self.grid.ndim) + part.shape
            nearness.fill(1)
            self._compete(
                Canvas(self.grid, part, owner.reshape(shape_3d), nearness[: owner.size].reshape(shape_3d))
            )
        return labels

    def paint(self, box: Box | None = None) -> Canvas:
        """Labels of `box` with the scaled distances of their objects; costs as much as the objects near the box."""
        canvas = Canvas.blank(self.grid, box or self.grid.box)
        self._compete(canvas)
        return canvas

    def _compete(self, canvas: Canvas) -> None:
        if not self.shape.needs_objects:
            self.shape.compete(self.objects, np.empty(0, np.int32), canvas)
            return
        is_whole = canvas.box == self.grid.box
        rows = np.arange(len(self.objects)) if is_whole else self.index.meeting(canvas.box)
        if len(rows) > _MANY:
            # In the order of places, as memory is: a tenth faster than at random.
            centre_px = np.clip(self.objects.centre_um[rows] / self.grid.voxel_um, 0, self.grid.shape_px)
            rows = rows[np.lexsort((centre_px // 32).T[::-1])]
        self.shape.compete(self.objects.take(rows), (rows + 1).astype(np.int32), canvas)

    @cached_property
    def index(self) -> BoxIndex:
        """Where the objects are, in voxels of the grid; made when it is first needed."""
        half, voxel = self.shape.half_extents_um(self.objects, self.grid), np.asarray(self.grid.voxel_um)
        # Far beyond the grid is as good as further away; the bound keeps whole numbers whole.
        edges = np.clip([self.objects.centre_um - half, self.objects.centre_um + half], -1e15, 1e15) / voxel
        edges = np.clip(edges, -1, np.asarray(self.grid.shape_px) + 1)
        low, high = np.floor(edges[0]).astype(np.int64), np.ceil(edges[1]).astype(np.int64)
        return BoxIndex.build(low, high, self.grid.shape_px)

    def only_visible(self, min_voxels: int = 1) -> "Scene":
        """Drop the objects that show fewer than `min_voxels` in the grid; labels stay without gaps.

        Removing an object never changes which voxels show another one where shapes do not overlap; where they
        do, a neighbour may grow into the freed voxels. Parts are added afterwards.
        """
        assert not self.parts
        return replace(self, objects=self.objects.take(self.count_voxels(min_voxels) >= min_voxels))

    def count_voxels(self, enough: int) -> Integer[np.ndarray, " n"]:
        """Voxels of each object in the grid, or, of one that shows `enough` of them, not fewer than these."""
        if self.grid.n_voxels <= _LARGE:
            return self._count_voxels([self.grid.box])
        if not self.shape.needs_objects:
            return self._count_voxels(self.grid.boxes((256,) * self.grid.ndim))
        return self._count_some_voxels(enough)

    def _count_some_voxels(self, enough: int) -> np.ndarray:
        """Most objects are seen well enough in every few planes of the grid; the others where they are."""
        first = 3 - self.grid.ndim
        low, high = self.index.low[:, first:], self.index.high[:, first:]
        height = (high - low)[:, 0]
        step = (
            max(1, int(np.median(height[height > 0])) // 4) if (height > 0).any() else self.grid.shape_px[0]
        )
        planes = [
            Box((z, *box.start[1:]), (z + 1, *box.stop[1:]))
            for z in range(step // 2, self.grid.shape_px[0], step)
            for box in self.grid.boxes((self.grid.shape_px[0], *(1024,) * (self.grid.ndim - 1)))
        ]
        counts = self._count_voxels(planes)
        rest = np.flatnonzero((counts < enough) & (low < high).all(axis=1))
        counts[rest] = self._count_voxels(_blocks_around(low[rest], high[rest]))[rest]
        return counts

    def _count_voxels(self, boxes: list[Box]) -> np.ndarray:
        found: list[np.ndarray] = []

        def count(part: list[Box]) -> None:
            counts = np.zeros(len(self.objects) + 1, np.int64)
            for box in part:
                _tally(self.draw(box).ravel(), counts)
            found.append(counts)

        n_parts = min(available_cores(), len(boxes))
        in_threads(count, [boxes[i::n_parts] for i in range(n_parts)], n_parts)
        return sum(found, start=np.zeros(len(self.objects) + 1, np.int64))[1:]


_SLAB = 1 << 22
"""Voxels that are drawn at once."""

_MANY = 500
"""Objects above which their order matters for speed."""

_BLOCK = 32
"""Voxels per axis of the blocks in which objects are looked for."""

_LARGE = 1 << 24
"""Voxels of a grid above which looking at a part of them saves time."""


def _blocks_around(low: np.ndarray, high: np.ndarray) -> list[Box]:
    """Boxes that share no voxel and hold all the given ones: blocks of a lattice, cut down to what is in them."""
    found: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}
    for a, b in zip(low, high, strict=True):
        begin, end = a // _BLOCK, (b - 1) // _BLOCK + 1
        for place in np.ndindex(*(end - begin).tolist()):
            block = begin + place
            start, stop = np.maximum(a, block * _BLOCK), np.minimum(b, (block + 1) * _BLOCK)
            name = tuple(block.tolist())
            if name in found:
                start, stop = np.minimum(start, found[name][0]), np.maximum(stop, found[name][1])
            found[name] = start, stop
    return [Box(tuple(start.tolist()), tuple(stop.tolist())) for start, stop in found.values()]


@njit(cache=True, nogil=True)
def _tally(labels, counts):
    for label in labels:
        counts[label] += 1


SceneFn = Callable[[Key], Scene]
"""What a label generator builds: a key to a scene."""
