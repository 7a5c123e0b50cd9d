"""Distances between the outlines of two label volumes, block by block, in memory that does not grow with them.

An outline voxel looks for the nearest outline voxel of the other side, of the same group (see `_outlines`):

1. in a small ball around it, which the margin of a block holds. A good prediction needs no more.
2. in its block and the margin, by cells, and then in as much around them as could hold something nearer.
3. where that is much or nothing was found, in other blocks, the nearest first, until none could hold anything nearer.
   The first pass has noted in which box each group is drawn in each block, so a group that the other side lacks is
   looked for nowhere.

Every step gives the smallest of the same rounded sums, so the distances are those of all pairs of voxels, and no bit
of them depends on how the volume was cut.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64, UInt32, UInt64

from ...core.blocks import BlockWork, Volume, add_evenly, cut, grown, suitable_block
from ...core.grid import Box
from ._distances import Distances, SurfaceDistances
from ._outlines import bound_groups, draw_outline, keep_far, number, search_far, search_near, sort_into_cells
from ._overlap import grouped
from ._reading import read_part
from ._tally import tally

_SIDES = ("reference", "prediction")
_N_STEPS = 1000
_MEMORY_BLOCK_VOXELS = 2**21  # fits the cache of a core; without reading from disk a margin costs little
_SHORT = 4  # times the radius of the ball: how far around a block is looked before other blocks are asked
_MARK = np.iinfo(np.int32)


@dataclass(frozen=True, eq=False)
class Groups:
    """Which ids of a side belong to which group."""

    ids: UInt32[np.ndarray, " n"]
    """Ascending."""

    groups: UInt32[np.ndarray, " n"]
    otherwise: int
    """Group of all other objects; 0 where they are background."""

    @classmethod
    def of(cls, ids: np.ndarray) -> Self:
        """Groups 1, 2, ... of these ids, and none of the others."""
        order = np.argsort(ids)
        return cls(ids[order].astype(np.uint32), (order + 1).astype(np.uint32), 0)


@dataclass(frozen=True, eq=False)
class _Steps:
    """Steps from a voxel, nearest first: all that are at most as far as the last."""

    offsets: Int64[np.ndarray, "n 3"]
    ranks: UInt32[np.ndarray, " n"]
    """Number of the distance of each."""

    squared_um2: Float64[np.ndarray, " d"]
    """Of each number."""

    @property
    def margin(self) -> Int64[np.ndarray, "3"]:
        """Farthest step along each axis."""
        return np.abs(self.offsets).max(axis=0)

    @property
    def nothing(self) -> int:
        """Number that stands for: farther than all."""
        return len(self.squared_um2)

    @classmethod
    def of(cls, shape: tuple[int, ...], voxel_um: tuple[float, ...]) -> Self:
        """About `_N_STEPS` steps, along axes of more than one voxel."""
        axes = [axis for axis, n in enumerate(shape) if n > 1]
        radius = 0.0
        while axes:
            # Volume of a ball of as many voxels; an axis along which not even one step fits does not count.
            ball = {1: 2.0, 2: math.pi, 3: 4 * math.pi / 3}[len(axes)]
            radius = (_N_STEPS * math.prod(voxel_um[axis] for axis in axes) / ball) ** (1 / len(axes))
            fitting = [axis for axis in axes if voxel_um[axis] <= radius]
            if fitting == axes:
                break
            axes = fitting
        reach = [min(int(radius / v), n - 1) for v, n in zip(voxel_um, shape, strict=True)]
        lengths = [2 * r + 1 for r in reach]
        offsets = np.indices(lengths).reshape(len(lengths), -1).T - np.array(reach)
        terms = (offsets * np.array(voxel_um)) ** 2
        squared = terms[:, 0] + terms[:, 1] + terms[:, 2]
        kept = np.flatnonzero(squared <= radius**2)
        kept = kept[np.argsort(squared[kept], kind="stable")]
        values, ranks = np.unique(squared[kept], return_inverse=True)
        return cls(offsets[kept], ranks.astype(np.uint32), values)


@dataclass(frozen=True, eq=False)
class _Far:
    """Distances that are in no table; of two parts of a volume they add."""

    groups: Int64[np.ndarray, " n"]
    squared_um2: Float64[np.ndarray, " n"]
    counts: Int64[np.ndarray, " n"]

    @classmethod
    def of(cls, groups: np.ndarray, squared_um2: np.ndarray, counts: np.ndarray | None = None) -> Self:
        """Put equal distances of the same group together."""
        counts = np.ones(len(groups), np.int64) if counts is None else counts
        order = np.lexsort((squared_um2, groups))
        groups, squared, counts = groups[order].astype(np.int64), squared_um2[order], counts[order]
        is_new = np.ones(len(groups), bool)
        is_new[1:] = (groups[1:] != groups[:-1]) | (squared[1:] != squared[:-1])
        starts = np.flatnonzero(is_new)
        sums = np.add.reduceat(counts, starts) if len(starts) else counts
        return cls(groups[starts], squared[starts], sums)

    def __add__(self, other: Self) -> Self:
        return type(self).of(
            np.concatenate([self.groups, other.groups]),
            np.concatenate([self.squared_um2, other.squared_um2]),
            np.concatenate([self.counts, other.counts]),
        )


@dataclass(frozen=True, eq=False)
class _Side:
    """What one or more blocks say of one side; of two parts of a volume they add."""

    keys: UInt64[np.ndarray, " k"]
    """`group * 2^32 + number of the distance` of what was found in the ball, ascending."""

    key_counts: Int64[np.ndarray, " k"]

    far: _Far
    """What was found farther away."""

    drawn: Int64[np.ndarray, "b 8"]
    """Block, group, and the box in which the group is drawn in the block: `(first zyx, last zyx)`."""

    open: Int64[np.ndarray, "o 3"]
    """Block, group, and how many voxels have to look in other blocks."""

    def __add__(self, other: Self) -> Self:
        keys, counts = grouped(
            np.concatenate([self.keys, other.keys]), np.concatenate([self.key_counts, other.key_counts])
        )
        drawn = np.concatenate([self.drawn, other.drawn])
        return type(self)(keys, counts, self.far + other.far, drawn, np.concatenate([self.open, other.open]))


_Both = tuple[_Side, _Side]


def measure(search: "Search") -> list[SurfaceDistances]:
    """Distances of every group."""
    near = search.run(search.look, range(len(search.boxes)), _add_sides)
    sides = []
    for number_of_side in (0, 1):
        side, other = near[number_of_side], near[1 - number_of_side]
        is_lost = ~np.isin(side.open[:, 1], other.drawn[:, 1])
        lost, open_ = side.open[is_lost], side.open[~is_lost]
        far = side.far + _Far.of(lost[:, 1], np.full(len(lost), np.inf), lost[:, 2])
        if len(open_):
            tasks = [
                _task(number_of_side, block, open_, other.drawn) for block in np.unique(open_[:, 0]).tolist()
            ]
            far += search.run(search.look_farther, tasks, _Far.__add__)
        sides.append(_by_group(side, far, search.steps, search.n_groups))
    return [SurfaceDistances(first, second) for first, second in zip(*sides, strict=True)]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Voxels of outlines, sorted by cell; see `sort_into_cells`."""

    points: np.ndarray
    groups: np.ndarray
    cells: np.ndarray
    boxes: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """As the kernels take them."""
        return self.points, self.groups, self.cells, self.boxes

    def only(self, is_kept: np.ndarray) -> Self:
        """Those that are kept; boxes may then be larger than they need to be."""
        before = np.concatenate([[0], np.cumsum(is_kept)])[self.cells]
        has_some = before[1:] > before[:-1]
        cells = np.concatenate([before[:-1][has_some], before[-1:]])
        return type(self)(self.points[is_kept], self.groups[is_kept], cells, self.boxes[has_some])


_NO_MARGIN = np.zeros(3, np.int64)
_NO_KEYS = (np.zeros(0, np.uint64), np.zeros(0, np.int64))
_NO_FAR = _Far(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))


@dataclass(frozen=True, eq=False)
class _Task:
    """Voxels of one block that have to look in others."""

    side: int
    block: int
    groups: Int64[np.ndarray, " g"]
    """Which groups have such."""

    drawn: Int64[np.ndarray, "b 8"]
    """Where the other side draws these groups, as in `_Side`."""


def _task(side: int, block: int, open_: np.ndarray, drawn: np.ndarray) -> _Task:
    groups = np.unique(open_[open_[:, 0] == block, 1])
    return _Task(side, block, groups, drawn[np.isin(drawn[:, 1], groups)])


@dataclass(frozen=True, eq=False)
class Search:
    """Two volumes and what is measured between them; the functions that work on their blocks."""

    volumes: tuple[Volume, Volume]
    groups: tuple[Groups, Groups]
    n_groups: int
    voxel_um: tuple[float, ...]
    work: BlockWork | None

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Three axes, the first of one voxel in 2D."""
        shape = tuple(self.volumes[0].shape)
        return (1,) * (3 - len(shape)) + shape  # pyright: ignore[reportReturnType] labels have two or three axes

    @cached_property
    def voxel_zyx_um(self) -> Float64[np.ndarray, "3"]:
        """Along three axes."""
        return np.array((1.0,) * (3 - len(self.voxel_um)) + tuple(self.voxel_um))

    @cached_property
    def boxes(self) -> list[Box]:
        """Blocks, with three axes."""
        if self.work is None:
            return cut(self.shape, suitable_block(self.shape, n_voxels=_MEMORY_BLOCK_VOXELS))
        found = self.work.boxes(*self.volumes)
        if len(self.volumes[0].shape) == 3:
            return found
        return [Box((0, *box.start), (1, *box.stop)) for box in found]

    @cached_property
    def steps(self) -> _Steps:
        """Of the search near by."""
        return _Steps.of(self.shape, tuple(self.voxel_zyx_um.tolist()))

    def run(self, function, items, add):
        """Sum over the items, one after the other or by those who work on blocks."""
        if self.work is None:
            return add_evenly(add, map(function, items))
        return self.work.reduce(function, list(items), add)

    def look(self, block: int) -> _Both:
        """Find what is near, and what is proven to be nearest within a block."""
        outlines = self._outlines(block)
        margin, box = self.steps.margin, self.boxes[block]
        found = [self._near(outlines[side], outlines[1 - side]) for side in (0, 1)]
        drawn = [_drawn(outlines[side], margin, box, block, self.n_groups) for side in (0, 1)]
        is_open = [bool((ranks == self.steps.nothing).any()) for _, ranks in found]
        others = [self._cells(outlines[1 - side], block) if is_open[side] else None for side in (0, 1)]
        sides = []
        for side, (groups, ranks) in enumerate(found):
            is_near = ranks != self.steps.nothing
            keys, counts = tally(groups[is_near], ranks[is_near]) if is_near.any() else _NO_KEYS
            far, waiting = _NO_FAR, np.zeros((0, 3), np.int64)
            cells = others[side]
            if cells is not None:
                queries = self._queries(outlines[side], ranks, block)
                best = self._search_cells(queries, cells)
                is_proven = self._prove(1 - side, queries, best, box)
                far = _Far.of(queries.groups[is_proven], best[is_proven])
                left, n_left = np.unique(queries.groups[~is_proven], return_counts=True)
                waiting = np.stack([np.full(len(left), block), left, n_left], axis=1).astype(np.int64)
            sides.append(_Side(keys, counts, far, drawn[side], waiting))
        return sides[0], sides[1]

    def look_farther(self, task: _Task) -> _Far:
        """Find what is nearest in the other blocks, for those voxels of a block that need them."""
        outlines = self._outlines(task.block)
        own, other = outlines[task.side], outlines[1 - task.side]
        _, ranks = self._near(own, other)
        cells = self._cells(other, task.block)
        queries = self._queries(own, ranks, task.block)
        best = self._search_cells(queries, cells)
        is_left = ~self._prove(1 - task.side, queries, best, self.boxes[task.block])
        is_left &= np.isin(queries.groups, task.groups)
        queries, best = queries.only(is_left), best[is_left]
        low, high = queries.points.min(axis=0), queries.points.max(axis=0)
        gaps = np.maximum(np.maximum(task.drawn[:, 2:5] - high, low - task.drawn[:, 5:8]), 0)
        terms = (gaps * self.voxel_zyx_um) ** 2
        gap_to = terms[:, 0] + terms[:, 1] + terms[:, 2]
        blocks, places = np.unique(task.drawn[:, 0], return_inverse=True)
        nearest = np.full(len(blocks), np.inf)
        np.minimum.at(nearest, places, gap_to)
        for i in np.argsort(nearest, kind="stable").tolist():
            if nearest[i] >= best.max():
                break
            part = _common(self.boxes[blocks[i]], *self._within_reach(queries, best))
            if part is not None:
                self._search_box(1 - task.side, part, queries, best)
        return _Far.of(queries.groups, best)

    def _prove(self, side: int, queries: _Cells, best: np.ndarray, box: Box) -> np.ndarray:
        """Look around a block that was searched, as far as little is to be read; tell which distances are final."""
        seen = grown(box, tuple(self.steps.margin.tolist()), self.shape)
        is_proven = best <= self._gaps_to_outside(queries.points, seen)
        is_short = ~is_proven & (best <= _SHORT**2 * self.steps.squared_um2[-1])
        if is_short.any():
            open_, least = queries.only(is_short), best[is_short]
            for part in _around(seen, *self._within_reach(open_, least), self.shape):
                self._search_box(side, part, open_, least)
            best[is_short] = least
        return is_proven | is_short

    def _within_reach(self, queries: _Cells, best: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Corners between which everything lies that could be nearer to a query than `best`."""
        reach = np.sqrt(best.max()) * (1 + 1e-9) / self.voxel_zyx_um
        return queries.points.min(axis=0) - reach, queries.points.max(axis=0) + reach

    def _search_box(self, side: int, box: Box, queries: _Cells, best: np.ndarray) -> None:
        outline = self._draw(side, box, _NO_MARGIN)
        self._search_cells(queries, _Cells(*sort_into_cells(outline, _NO_MARGIN, np.array(box.start))), best)

    def _outlines(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        box, margin = self.boxes[block], self.steps.margin
        return self._draw(0, box, margin), self._draw(1, box, margin)

    def _draw(self, side: int, box: Box, margin: np.ndarray) -> np.ndarray:
        """Groups of the outline voxels in a box and the margin around it."""
        volume, groups = self.volumes[side], self.groups[side]
        seen = grown(box, tuple((margin + 1).tolist()), self.shape)
        flat = seen if len(volume.shape) == 3 else Box(seen.start[1:], seen.stop[1:])
        labels = (
            read_part(volume, flat, _SIDES[side]).astype(np.uint32, order="C", copy=True).reshape(seen.shape)
        )
        number(labels, groups.ids, groups.groups, groups.otherwise)
        wanted = grown(box, tuple(margin.tolist()), self.shape)
        skip = np.stack([np.subtract(wanted.start, seen.start), np.subtract(seen.stop, wanted.stop)], axis=1)
        drawn = np.zeros(np.add(box.shape, 2 * margin), np.min_scalar_type(self.n_groups))
        draw_outline(labels, skip, drawn, np.subtract(wanted.start, box.start) + margin)
        return drawn

    def _near(self, own: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps = self.steps
        strides = np.array((own.shape[1] * own.shape[2], own.shape[2], 1))
        n_points = int(np.count_nonzero(_inner(own, steps.margin)))
        return search_near(own, other, steps.margin, steps.offsets @ strides, steps.ranks, n_points)

    def _cells(self, outline: np.ndarray, block: int) -> _Cells:
        origin = np.array(self.boxes[block].start) - self.steps.margin
        return _Cells(*sort_into_cells(outline, _NO_MARGIN, origin))

    def _queries(self, own: np.ndarray, ranks: np.ndarray, block: int) -> _Cells:
        """Outline voxels that found nothing near by; the array is used up."""
        margin = self.steps.margin
        keep_far(own, margin, ranks, self.steps.nothing)
        return _Cells(*sort_into_cells(own, margin, np.array(self.boxes[block].start) - margin))

    def _search_cells(self, queries: _Cells, others: _Cells, best: np.ndarray | None = None) -> np.ndarray:
        best = np.full(len(queries.points), np.inf) if best is None else best
        if len(others.points) and len(best):
            search_far(*queries.arrays, best, *others.arrays, self.voxel_zyx_um)
        return best

    def _gaps_to_outside(self, points: np.ndarray, seen: Box) -> np.ndarray:
        """Squared distance of each voxel to the nearest one outside of a box."""
        least = np.full(len(points), np.inf)
        for axis in range(3):
            if seen.start[axis] > 0:
                steps = points[:, axis] - seen.start[axis] + 1
                least = np.minimum(least, (steps * self.voxel_zyx_um[axis]) ** 2)
            if seen.stop[axis] < self.shape[axis]:
                steps = seen.stop[axis] - points[:, axis]
                least = np.minimum(least, (steps * self.voxel_zyx_um[axis]) ** 2)
        return least


def _add_sides(first: _Both, second: _Both) -> _Both:
    return first[0] + second[0], first[1] + second[1]


def _inner(array: np.ndarray, margin: Sequence[int] | np.ndarray) -> np.ndarray:
    return array[tuple(slice(m, n - m) for m, n in zip(margin, array.shape, strict=True))]


def _drawn(own: np.ndarray, margin: np.ndarray, box: Box, block: int, n_groups: int) -> np.ndarray:
    """Rows of `_Side.drawn` of one block."""
    boxes = np.empty((n_groups + 1, 6), np.int64)
    boxes[:, :3], boxes[:, 3:] = _MARK.max, _MARK.min
    bound_groups(own, margin, np.array(box.start), boxes)
    present = np.flatnonzero(boxes[:, 0] <= boxes[:, 3])
    return np.column_stack([np.full(len(present), block), present, boxes[present]])


def _common(box: Box, low: np.ndarray, high: np.ndarray) -> Box | None:
    """Part of a box between two corners, which may lie between voxels; None where there is none."""
    start = np.maximum(box.start, np.floor(low)).astype(int).tolist()
    stop = np.minimum(box.stop, np.ceil(high) + 1).astype(int).tolist()
    return Box(tuple(start), tuple(stop)) if all(a < b for a, b in zip(start, stop, strict=True)) else None


def _around(inner: Box, low: np.ndarray, high: np.ndarray, shape: tuple[int, ...]) -> list[Box]:
    """What lies between two corners and outside of a box, in six parts at most."""
    outer = _common(Box((0, 0, 0), shape), low, high)
    if outer is None:
        return []
    start, stop = list(outer.start), list(outer.stop)
    parts = []
    for axis in range(3):
        below, above = min(stop[axis], inner.start[axis]), max(start[axis], inner.stop[axis])
        for first, last in ((start[axis], below), (above, stop[axis])):
            if first < last:
                ends = [*start[:axis], first, *start[axis + 1 :]], [*stop[:axis], last, *stop[axis + 1 :]]
                parts.append(Box(tuple(ends[0]), tuple(ends[1])))
        # What is left to cut lies between the two.
        start[axis], stop[axis] = max(start[axis], inner.start[axis]), min(stop[axis], inner.stop[axis])
        if start[axis] >= stop[axis]:
            break
    return parts


def _by_group(side: _Side, far: _Far, steps: _Steps, n_groups: int) -> list[Distances]:
    ranks = (side.keys & np.uint64(2**32 - 1)).astype(np.int64)
    near = _Far((side.keys >> np.uint64(32)).astype(np.int64), steps.squared_um2[ranks], side.key_counts)
    found = near + far
    ends = np.searchsorted(found.groups, np.arange(1, n_groups + 2))
    distances = np.sqrt(found.squared_um2)
    return [Distances(distances[a:b], found.counts[a:b]) for a, b in pairwise(ends)]
