"""Cells with processes that taper, bend and branch: astrocytes, microglia, neurons."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..lattice import uniform
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, stage, to_3d

_N_STEPS = 14
"""Straight pieces that a process of full length is made of."""

_PIECES_OF_PROCESS = 80
_WAITING = 32
"""Branches that may wait to be grown."""

_TIP = 0.3
"""Radius at the end of a process, relative to `width`."""


@dataclass(frozen=True)
class Branched(AbstractShape):
    """A soma, which is the ellipsoid of the frame, and processes that grow from its centre.

    Processes leave in evenly spread directions, and each is grown in straight pieces: it turns a little at every
    piece, tapers, and splits now and then into two thinner ones. Lengths are in mean radii of the soma (geometric
    mean of the semi-axes). As every process begins in the centre and every branch on its parent, an object is
    connected; on the grid it stays so because no process is thinner than the diagonal of a voxel.

    The scaled distance is the smallest of that to the soma and those to the midlines of the processes over their
    radius. Where the processes of two cells cross, one of them is cut.

    References
    ----------
    .. [1] H. Cuntz, F. Forstner, A. Borst, M. Hausser, "One rule to grow them all: a general theory of neuronal
       branching and its practical application", PLOS Computational Biology 6 (2010) e1000877, for the taper and the
       branching of processes; grown here step by step, without its optimisation.
    """

    n_processes: tuple[int, int] = (5, 8)
    """Fewest and most processes of a cell, at most 24."""

    reach: float = 5.0
    """Length of the longest processes from the centre, in mean radii of the soma; 1 to 30."""

    width: float = 0.3
    """Radius of a process where it leaves the soma, in mean radii of the soma; at most 1."""

    bend: float = 0.25
    """How much a process turns at each piece: standard deviation in radians, about."""

    branching: float = 2.0
    """How often a process of full length splits, on average."""

    def __post_init__(self) -> None:
        if not 0 <= self.n_processes[0] <= self.n_processes[1] <= 24:
            raise ValueError(f"n_processes is a range [fewest, most] within 0 to 24; saw {self.n_processes}")
        if not 1 <= self.reach <= 30:
            raise ValueError(f"reach is between 1 and 30 radii of the soma; saw {self.reach}")
        if not 0 < self.width <= 1:
            raise ValueError(f"width is above 0 and at most 1; saw {self.width}")
        if not 0 <= self.bend <= 1 or not 0 <= self.branching <= 6:
            raise ValueError(f"bend is within 0 to 1, branching 0 to 6; saw {self.bend} and {self.branching}")

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        soma = half_extents_of_ellipsoids(axes, rotation)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, soma),
            objects.key,
            canvas.grid.ndim,
            *self._numbers(canvas.grid),
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the soma and all pieces."""
        _, axes, rotation = to_3d(objects, grid)
        half = half_extents_of_ellipsoids(axes, rotation)
        _stretch(half, axes, rotation, objects.key, grid.ndim, *self._numbers(grid))
        return half[:, 3 - grid.ndim :]

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """An estimate, to about a tenth: the soma and the pieces outside of it, where pieces that cross count twice.

        Processes that the grid is too coarse for are drawn thicker than this counts.
        """
        _, axes, _ = to_3d(objects, grid)
        return _volumes(axes, objects.key, grid.ndim, *self._numbers(grid)[:-1])

    def _numbers(self, grid: Grid) -> tuple[int, int, float, float, float, float, float]:
        # A ball of half the diagonal of a voxel holds the centre of the voxel it is in.
        thinnest_um = 0.5001 * math.sqrt(sum(size**2 for size in grid.voxel_um))
        return (*self.n_processes, self.reach, self.width, self.bend, self.branching, thinnest_um)


@njit(cache=True, nogil=True)
def _normal(key, counter):
    """A number with mean 0 and standard deviation 1; the sum of three uniform ones is near enough to a normal one."""
    total = uniform(key, counter, 50) + uniform(key, counter, 51) + uniform(key, counter, 52)
    return 2.0 * total - 3.0


@njit(cache=True, nogil=True)
def _turn(direction, key, counter, ndim, angle):
    """Turn a unit direction by about `angle` to a random side."""
    for k in range(3 - ndim, 3):
        direction[k] += angle * _normal(key, counter + k)
    direction /= math.sqrt((direction**2).sum())


@njit(cache=True, nogil=True)
def _radius_at(length, full_length, width, thickness):
    """Of a process at a distance from the centre: a cone out of the soma, then a slow taper; in radii of the soma."""
    foot = max(1.0 - length / 1.7, 0.0)
    taper = _TIP + (1.0 - _TIP) * max(1.0 - length / full_length, 0.0)
    return thickness * width * taper + 0.8 * min(width * 1.5, 0.6) * foot * foot


@njit(cache=True, nogil=True)
def _grow(pieces, key, ndim, fewest, most, reach, width, bend, branching):
    """Fill rows of `pieces` (begin zyx, its radius, end zyx, its radius; in radii of the soma); give how many."""
    n_processes = fewest + int((most - fewest + 1) * uniform(key, 0, 53))
    step = reach / _N_STEPS
    # What still has to grow: position, direction, length so far, full length, thickness, generation.
    waiting = np.empty((_WAITING, 10))
    direction, place = np.zeros(3), np.zeros(3)
    phase, tilt = uniform(key, 1, 53), uniform(key, 2, 53)
    n = 0
    counter = 100
    for process in range(n_processes):
        if ndim == 2:
            angle = 2.0 * math.pi * (process + phase) / n_processes
            direction[0], direction[1], direction[2] = 0.0, math.sin(angle), math.cos(angle)
        else:
            # Points of a golden spiral are spread evenly over the sphere.
            height = 1.0 - 2.0 * (process + 0.5) / n_processes
            angle = 2.0 * math.pi * (phase + process * 0.6180339887498949)
            ring = math.sqrt(1.0 - height * height)
            z, y = height, ring * math.sin(angle)
            lean = 2.0 * math.pi * tilt
            direction[0] = z * math.cos(lean) - y * math.sin(lean)
            direction[1] = z * math.sin(lean) + y * math.cos(lean)
            direction[2] = ring * math.cos(angle)
        _turn(direction, key, counter, ndim, 0.25)
        counter += 3
        waiting[0, :3], waiting[0, 3:6], waiting[0, 6] = 0.0, direction, 0.0
        waiting[0, 7] = reach * (0.55 + 0.45 * uniform(key, counter, 53))
        waiting[0, 8], waiting[0, 9] = 0.75 + 0.5 * uniform(key, counter, 54), 0.0
        n_waiting = 1
        last = n + _PIECES_OF_PROCESS
        while n_waiting > 0:
            n_waiting -= 1
            place[:], direction[:] = waiting[n_waiting, :3], waiting[n_waiting, 3:6]
            length, full_length = waiting[n_waiting, 6], waiting[n_waiting, 7]
            thickness, generation = waiting[n_waiting, 8], waiting[n_waiting, 9]
            while length < full_length - 1e-9 and n < last:
                counter += 6
                forward = min(step, full_length - length)
                pieces[n, :3] = place
                pieces[n, 3] = _radius_at(length, full_length, width, thickness)
                _turn(direction, key, counter, ndim, bend if length > 0.9 else 0.0)
                place += forward * direction
                length += forward
                pieces[n, 4:7] = place
                pieces[n, 7] = _radius_at(length, full_length, width, thickness)
                n += 1
                is_outside = length > 1.3 and full_length - length > 2.0 * step
                splits = uniform(key, counter, 53) < branching / _N_STEPS * 1.3
                if is_outside and splits and generation < 3.0 and n_waiting < _WAITING:
                    waiting[n_waiting, :3], waiting[n_waiting, 3:6] = place, direction
                    # The two leave at 25 to 50 degrees to either side of a random plane, the thinner one wider.
                    side = np.zeros(3)
                    for k in range(3 - ndim, 3):
                        side[k] = _normal(key, counter + 1_000_000 + k)
                    side -= direction * (side * direction).sum()
                    side /= max(math.sqrt((side**2).sum()), 1e-9)
                    spread = 0.5 + 0.45 * uniform(key, counter, 54)
                    branch = waiting[n_waiting, 3:6]
                    branch += spread * side
                    branch /= math.sqrt((branch**2).sum())
                    direction -= 0.4 * spread * side
                    direction /= math.sqrt((direction**2).sum())
                    waiting[n_waiting, 6] = length
                    waiting[n_waiting, 7] = length + (full_length - length) * (
                        0.6 + 0.4 * uniform(key, counter, 55)
                    )
                    waiting[n_waiting, 8] = 0.8 * thickness
                    waiting[n_waiting, 9] = generation + 1.0
                    thickness *= 0.9
                    n_waiting += 1
    return n


@njit(cache=True, nogil=True)
def _mean_radius(axes, ndim):
    return math.sqrt(axes[1] * axes[2]) if ndim == 2 else (axes[0] * axes[1] * axes[2]) ** (1.0 / 3.0)


@njit(cache=True, nogil=True)
def _stretch(half, axes, rotation, keys, ndim, fewest, most, reach, width, bend, branching, thinnest):
    """Enlarge the bounding boxes of the somas to hold all pieces."""
    pieces = np.empty((most * _PIECES_OF_PROCESS, 8))
    for i in range(keys.size):
        n = _grow(pieces, keys[i], ndim, fewest, most, reach, width, bend, branching)
        unit = _mean_radius(axes[i], ndim)
        for p in range(n):
            radius = max(max(pieces[p, 3], pieces[p, 7]) * unit, thinnest)
            for k in range(3):
                for end in (0, 4):
                    at = (
                        rotation[i, k, 0] * pieces[p, end]
                        + rotation[i, k, 1] * pieces[p, end + 1]
                        + rotation[i, k, 2] * pieces[p, end + 2]
                    )
                    half[i, k] = max(half[i, k], abs(at) * unit + radius)


@njit(cache=True, nogil=True)
def _volumes(axes, keys, ndim, fewest, most, reach, width, bend, branching):
    factors = np.ones(keys.size)
    pieces = np.empty((most * _PIECES_OF_PROCESS, 8))
    n_parts = 8
    for i in range(keys.size):
        n = _grow(pieces, keys[i], ndim, fewest, most, reach, width, bend, branching)
        unit = _mean_radius(axes[i], ndim)
        for p in range(n):
            length = math.sqrt(((pieces[p, 4:7] - pieces[p, :3]) ** 2).sum()) / n_parts
            for part in range(n_parts):
                t = (part + 0.5) / n_parts
                at = (pieces[p, :3] * (1.0 - t) + pieces[p, 4:7] * t) * unit / axes[i]
                if (at**2).sum() > 1.0:
                    radius = pieces[p, 3] * (1.0 - t) + pieces[p, 7] * t
                    if ndim == 2:
                        factors[i] += 2.0 * radius * length / math.pi
                    else:
                        factors[i] += 0.75 * radius * radius * length
    return factors


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    owner,
    nearness,
    start,
    voxel,
    ids,
    low,
    high,
    centre,
    axes,
    rotation,
    keys,
    ndim,
    fewest,
    most,
    reach,
    width,
    bend,
    branching,
    thinnest,
):
    pieces = np.empty((most * _PIECES_OF_PROCESS, 8))
    for i in range(ids.size):
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                for x in range(low[i, 2], high[i, 2]):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u, v, w = local_offset(rotation[i], axes[i], dz, dy, dx)
                    distance = math.sqrt(u * u + v * v + w * w)
                    if distance < 1.0:
                        claim(owner, nearness, z, y, x, distance, ids[i])
        n = _grow(pieces, keys[i], ndim, fewest, most, reach, width, bend, branching)
        unit = _mean_radius(axes[i], ndim)
        # Each piece competes on its own: the smallest distance wins all the same.
        for p in range(n):
            begin = centre[i] + np.dot(rotation[i], pieces[p, :3]) * unit
            end = centre[i] + np.dot(rotation[i], pieces[p, 4:7]) * unit
            r0, r1 = max(pieces[p, 3] * unit, thinnest), max(pieces[p, 7] * unit, thinnest)
            _fill_piece(owner, nearness, start, voxel, ids[i], begin, end, r0, r1)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_piece(owner, nearness, start, voxel, label, begin, end, r0, r1):
    """A straight piece whose radius goes from `r0` to `r1`, with round ends."""
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    widest = max(r0, r1)
    for k in range(3):
        first = (min(begin[k], end[k]) - widest) / voxel[k] - start[k]
        last = (max(begin[k], end[k]) + widest) / voxel[k] - start[k]
        if first >= owner.shape[k] or last <= 0.0:
            return
        low[k] = int(max(math.floor(first), 0.0))
        high[k] = int(min(math.ceil(last), float(owner.shape[k])))
    az, ay, ax = end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]
    square = az * az + ay * ay + ax * ax
    for z in range(low[0], high[0]):
        dz = (z + start[0] + 0.5) * voxel[0] - begin[0]
        for y in range(low[1], high[1]):
            dy = (y + start[1] + 0.5) * voxel[1] - begin[1]
            for x in range(low[2], high[2]):
                dx = (x + start[2] + 0.5) * voxel[2] - begin[2]
                t = (dz * az + dy * ay + dx * ax) / square if square > 0.0 else 0.0
                t = min(max(t, 0.0), 1.0)
                uz, uy, ux = dz - t * az, dy - t * ay, dx - t * ax
                distance = math.sqrt(uz * uz + uy * uy + ux * ux) / (r0 + t * (r1 - r0))
                if distance < 1.0:
                    claim(owner, nearness, z, y, x, distance, label)
