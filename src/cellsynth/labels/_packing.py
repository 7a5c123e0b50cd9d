"""Dense packing of ellipsoids: they start anywhere, overlap, and push each other apart until none does."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt64
from numba import get_num_threads, njit, prange, set_num_threads

from ..core.errors import RecipeError
from ..core.field import LatticeField, depth_at
from ..core.lattice import uniform
from ._contact import contact, squared, support, with_gap

MAX_ROUNDS = 2000
_FIRST_SCALE = 0.7
"""Objects start at this part of their size and grow: small ones find room that large ones would wall off."""

_GROWTH_ROUNDS = 40
OVERLAP = 0.01
"""Overlap, as a share of the distance of contact, that counts as none: a hundredth of a cell is below a voxel."""

_WORTH_THREADS = 2000
"""Objects from which on threads save time."""

_SLIGHT = 1e-9
"""Overlap below this moves nothing."""

_NO_WALLS = LatticeField(np.full((2, 2, 2), np.inf, np.float32), np.zeros(3), np.ones(3))


@dataclass(frozen=True, eq=False)
class Packing:
    """What came of it."""

    centre_um: Float[np.ndarray, "n 3"]

    overlap: Float[np.ndarray, " n"]
    """Largest overlap of each object with another one or with the walls, as a share of the distance of contact."""

    n_rounds: int

    @property
    def complaint(self) -> str:
        """How many objects overlap and how far; empty where none does."""
        n_overlapping = int((self.overlap > OVERLAP).sum())
        if not n_overlapping:
            return ""
        return (
            f"{n_overlapping} of {len(self.overlap)} cells still overlap others, or the border of the region, after "
            f"{self.n_rounds} rounds of pushing apart (by {100 * float(self.overlap.max()):.0f} % of the distance of "
            "contact at most): more were asked for than fit with the gap that they keep, and they share the overlap. "
            "Ask for fewer or smaller cells, or a smaller min_gap_um"
        )


def pack(
    centre_um: Float[np.ndarray, "n 3"],
    semi_axes_um: Float[np.ndarray, "n 3"],
    rotation: Float[np.ndarray, "n 3 3"],
    low_um: np.ndarray,
    high_um: np.ndarray,
    *,
    walls: LatticeField | None = None,
    gap_um: float = 0.0,
    is_flat: bool = False,
    max_rounds: int = MAX_ROUNDS,
) -> Packing:
    """Move ellipsoids until they neither overlap nor leave the region.

    In each round every object moves away from all that it overlaps, by half of each overlap, and back into the region.
    Overlap is exact, by the contact function of Perram and Wertheim. All moves of a round follow from the positions
    before it, and each sum has one order, so the result does not depend on the number of threads.

    Parameters
    ----------
    centre_um
        Where they start; in 2D all in one plane.
    semi_axes_um, rotation
        In 2D the first axis is across the plane.
    low_um, high_um : (3,)
        Box that the objects stay in as a whole.
    walls
        Depth in a region that every object has to be in as a whole; None where there is none.
    gap_um
        Free space to keep between objects.
    is_flat
        Nothing moves along the first axis.
    """
    n = len(centre_um)
    centre = np.array(centre_um, np.float64)
    if n == 0:
        return Packing(centre, np.zeros(0), 0)
    axes = with_gap(np.array(semi_axes_um, np.float64), gap_um, n_flat=int(is_flat))
    if gap_um > 0:
        axes = axes / (1 - OVERLAP)  # what counts as none may not be taken from the gap
    field = walls or _NO_WALLS
    forms = np.empty((n, 6))
    overlap = np.empty(n)
    scale = _FIRST_SCALE if max_rounds > 1 else 1.0
    rounds, is_active = 0, np.ones(n, np.bool_)
    with _few_threads(n):
        while rounds < max_rounds:
            rounds += 1
            _forms(axes, rotation, scale, forms)
            reach = axes.max(axis=1) * scale
            cells, order, starts, n_cells = _sorted_into_cells(
                centre, low_um, high_um, 2 * float(reach.max())
            )
            moved, is_next = np.empty_like(centre), np.zeros(n, np.bool_)
            _push(
                centre, forms, reach, cells, order, starts, n_cells, low_um, high_um, is_flat,
                field.values, field.origin_um, field.step_um, walls is not None, moved, overlap,
                is_active, is_next, _SLIGHT,
            )  # fmt: skip
            if scale >= 1.0 and float(overlap.max()) <= OVERLAP:
                break
            centre = moved
            is_active = is_next if scale >= 1.0 else np.ones(n, np.bool_)
            scale = min(1.0, scale + (1.0 - _FIRST_SCALE) / _GROWTH_ROUNDS)
    return Packing(centre, overlap, rounds)


@contextmanager
def _few_threads(n: int) -> Iterator[None]:
    """One thread for few objects, which are pushed in less time than threads take to wake up."""
    before = get_num_threads()
    set_num_threads(before if n >= _WORTH_THREADS else 1)
    try:
        yield
    finally:
        set_num_threads(before)


def scattered(
    keys: UInt64[np.ndarray, " n"], low_um: np.ndarray, high_um: np.ndarray, walls: LatticeField | None
) -> Float[np.ndarray, "n 3"]:
    """Random places to start from, each keyed by its object: uniform in the box, inside of the walls.

    Raises
    ------
    RecipeError
        If the walls leave nearly no room in the box.
    """
    centre = np.empty((len(keys), 3))
    field = walls or _NO_WALLS
    if not _scatter(keys, np.asarray(low_um, float), np.asarray(high_um, float), field.values,
                    field.origin_um, field.step_um, centre):  # fmt: skip
        raise RecipeError("the region is so small that no place in it was found; make it larger")
    return centre


def _sorted_into_cells(
    centre: np.ndarray, low: np.ndarray, high: np.ndarray, size: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Number of the cell of each object, the objects in the order of their cells, where each cell begins."""
    # No more of them than twice the objects: few small ones in much space would take memory for nothing.
    extent, size = high - low, max(size, 1e-9)
    while np.prod(np.floor(extent / size) + 1) > 2 * len(centre) + 64:
        size *= 1.25
    n_cells = np.maximum((extent / size).astype(np.int64), 1)
    steps = np.maximum((high - low) / n_cells, 1e-300)
    place = np.clip(((centre - low) / steps).astype(np.int64), 0, n_cells - 1)
    cells = (place[:, 0] * n_cells[1] + place[:, 1]) * n_cells[2] + place[:, 2]
    order = np.argsort(cells, kind="stable")
    starts = np.searchsorted(cells[order], np.arange(int(np.prod(n_cells)) + 1))
    return cells, order, starts, n_cells


@njit(cache=True, parallel=True)
def _forms(axes, rotation, scale, out):
    for i in prange(axes.shape[0]):
        squared(axes[i], rotation[i], scale, out[i])


@njit(cache=True)
def _scatter(keys, low, high, field, origin, step, centre):
    for i in range(keys.shape[0]):
        for attempt in range(100_000):
            z = low[0] + (high[0] - low[0]) * uniform(keys[i], attempt, 30)
            y = low[1] + (high[1] - low[1]) * uniform(keys[i], attempt, 31)
            x = low[2] + (high[2] - low[2]) * uniform(keys[i], attempt, 32)
            if field[0, 0, 0] == np.inf or depth_at(field, origin, step, z, y, x)[0] > 0.0:
                centre[i, 0], centre[i, 1], centre[i, 2] = z, y, x
                break
        else:
            return False
    return True


@njit(cache=True, inline="always")
def _kept_in(place, low, high, reach):
    """Where a body that reaches so far to both sides lies in an interval; in the middle of one that is too short."""
    if 2.0 * reach >= high - low:
        return 0.5 * (low + high)
    return min(max(place, low + reach), high - reach)


@njit(cache=True, parallel=True)
def _push(
    centre, forms, reach, cells, order, starts, n_cells, low, high, is_flat, field, origin, step, has_walls,
    moved, overlap, is_active, is_next, slight,
):  # fmt: skip
    for i in prange(centre.shape[0]):
        z, y, x = centre[i, 0], centre[i, 1], centre[i, 2]
        if not is_active[i]:
            # What has moved since is active and sees all that it came near to.
            moved[i] = centre[i]
            overlap[i] = 0.0
            continue
        mz, my, mx, worst = 0.0, 0.0, 0.0, 0.0
        cell = cells[i]
        cz, rest = cell // (n_cells[1] * n_cells[2]), cell % (n_cells[1] * n_cells[2])
        cy, cx = rest // n_cells[2], rest % n_cells[2]
        for az in range(max(cz - 1, 0), min(cz + 2, n_cells[0])):
            for ay in range(max(cy - 1, 0), min(cy + 2, n_cells[1])):
                first = (az * n_cells[1] + ay) * n_cells[2]
                # The cells of one row lie one after the other.
                begin = starts[first + max(cx - 1, 0)]
                end = starts[first + min(cx + 1, n_cells[2] - 1) + 1]
                for place in range(begin, end):
                    j = order[place]
                    if j == i:
                        continue
                    dz, dy, dx = z - centre[j, 0], y - centre[j, 1], x - centre[j, 2]
                    d2 = dz * dz + dy * dy + dx * dx
                    far = reach[i] + reach[j]
                    if d2 >= far * far:
                        continue
                    if d2 < 1e-18:
                        # Two at one place: the lower number goes one way, the other the other way.
                        my += (1.0 if i < j else -1.0) * 0.1 * reach[i]
                        worst = 1.0
                        is_next[j] = True
                        continue
                    value = contact(dz, dy, dx, forms[i], forms[j], 1.0)
                    if value >= 1.0:
                        continue
                    factor = 1.0 / math.sqrt(value)  # distance of contact over the distance
                    worst = max(worst, 1.0 - 1.0 / factor)
                    if 1.0 - 1.0 / factor > slight:
                        is_next[j] = True  # the only value that is ever written: no matter who is first
                    push = 0.5 * min(factor - 1.0, 1.0)
                    mz, my, mx = mz + push * dz, my + push * dy, mx + push * dx
        z, y, x = z + (0.0 if is_flat else mz), y + my, x + mx
        if has_walls:
            depth, nz, ny, nx = depth_at(field, origin, step, z, y, x)
            lacking = support(forms[i], nz, ny, nx) - depth
            if lacking > 0.0:
                worst = max(worst, min(lacking / reach[i], 1.0))
                z, y, x = z + (0.0 if is_flat else lacking * nz), y + lacking * ny, x + lacking * nx
        moved[i, 0] = z if is_flat else _kept_in(z, low[0], high[0], math.sqrt(forms[i, 0]))
        moved[i, 1] = _kept_in(y, low[1], high[1], math.sqrt(forms[i, 1]))
        moved[i, 2] = _kept_in(x, low[2], high[2], math.sqrt(forms[i, 2]))
        overlap[i] = worst
        if worst > slight:
            is_next[i] = True
