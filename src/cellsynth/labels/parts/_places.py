"""Places of spots: in the voxels of their cells, or anywhere in the grid."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64, Integer, UInt64
from numba import njit

from ...core.count import Count
from ...core.errors import RecipeError
from ...core.grid import Box, Grid
from ...core.lattice import uniform
from ...core.scene import Scene
from ...core.types import Points

_log = logging.getLogger(__name__)

MOST_SPOTS = 20_000_000
"""In one image; more take all memory."""

_N_TRIES = 200
"""Places that are tried for a spot before it is left out."""

_MANY_PLACED = 0.98
"""Part of the spots that find a place where nothing is odd."""

_BLOCK_PX = {2: 4096, 3: 384}
"""Side of the blocks whose labels are drawn at once, so that a large grid need not fit into memory."""

# Streams of the random numbers of a cell, and of a spot.
_IS_HOST, _N_SITES, _N_SPOTS, _SPOT_KEY, _SHOWS, _VOXEL, _JITTER, _NORMAL = 70, 71, 72, 73, 74, 75, 76, 80


@dataclass(frozen=True, eq=False)
class Places:
    """Spots that have found a place."""

    centre_um: Points

    parent: Integer[np.ndarray, " n"]
    """Label of the cell under the centre, 0 in background."""

    key: UInt64[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Wanted:
    """Spots that want a place in cells: cell by cell, site by site. A site is a single spot or a cluster."""

    first_site: Int64[np.ndarray, " cells_and_one"]
    """Where the sites of each cell begin."""

    first_spot: Int64[np.ndarray, " sites_and_one"]
    """Where the spots of each site begin."""

    key: UInt64[np.ndarray, " spots"]


def keyed_shares(
    keys: UInt64[np.ndarray, " n"], index: Int64[np.ndarray, " n"], stream: int
) -> Float[np.ndarray, " n"]:
    """One number in [0, 1) per key; see `core.lattice.uniform`."""
    out = np.empty(len(keys))
    _fill_shares(out, keys, index, stream)
    return out


def wanted_in_cells(
    keys: UInt64[np.ndarray, " cells"], hosts: float, number: Count, n_spots: Count | None
) -> Wanted:
    """How many spots each cell wants, by its own key.

    Parameters
    ----------
    n_spots
        Of a cluster; None where spots are single.

    Raises
    ------
    RecipeError
        If they are more than memory can hold.
    """
    zero = np.zeros(len(keys), np.int64)
    is_host = keyed_shares(keys, zero, _IS_HOST) < hosts
    n_sites = np.where(is_host, number.at(keyed_shares(keys, zero, _N_SITES)), 0)
    first_site = _beginnings(n_sites)
    refuse_too_many(int(first_site[-1]))
    cell = np.repeat(np.arange(len(keys)), n_sites)
    site = np.arange(len(cell)) - first_site[cell]
    per_site = (
        np.ones(len(cell), np.int64)
        if n_spots is None
        else n_spots.at(keyed_shares(keys[cell], site, _N_SPOTS))
    )
    first_spot = _beginnings(per_site)
    refuse_too_many(int(first_spot[-1]))
    of_site = np.repeat(np.arange(len(cell)), per_site)
    number_in_site = np.arange(len(of_site)) - first_spot[of_site]
    shares = keyed_shares(keys[cell[of_site]], site[of_site] * 1_000_003 + number_in_site, _SPOT_KEY)
    return Wanted(first_site, first_spot, (shares * 2**53).astype(np.uint64))


def place_in_cells(
    scene: Scene,
    keys: UInt64[np.ndarray, " cells"],
    wanted: Wanted,
    spread: Float[np.ndarray, "m 3 3"] | None,
) -> Places:
    """Find places whose voxels belong to the cell, each voxel for one spot.

    The labels are drawn once, in blocks that overlap by the cells at their borders.

    Parameters
    ----------
    keys
        That `wanted` was made with.
    spread
        Matrix that turns standard normal numbers into offsets from the centre of a cluster, in um: one for all cells,
        or one per cell. None: single spots, in all voxels of the cell as likely.
    """
    grid, n = scene.grid, len(wanted.key)
    flat = 3 - grid.ndim
    centre, parent = np.zeros((n, 3)), np.zeros(n, np.int32)
    unit = math.pi if grid.ndim == 2 else 4 / 3 * math.pi
    volume_um = (
        unit * scene.objects.semi_axes_um.prod(axis=1) * scene.shape.volume_factor(scene.objects, grid)
    )
    for rows, box in _blocks(scene, np.flatnonzero(np.diff(wanted.first_site) > 0)):
        start = np.array((0,) * flat + box.start, np.int64)
        _place_in_cells(
            scene.draw(box).reshape((1,) * flat + box.shape),
            start,
            np.array((1,) * flat + grid.shape_px, np.int64),
            np.array((1.0,) * flat + grid.voxel_um),
            flat == 1,
            rows,
            scene.index.low,
            scene.index.high,
            keys,
            volume_um,
            wanted.first_site,
            wanted.first_spot,
            wanted.key,
            np.zeros((0, 3, 3)) if spread is None else np.ascontiguousarray(spread),
            centre,
            parent,
        )
    kept = np.flatnonzero(parent)
    return Places(np.ascontiguousarray(centre[kept, flat:]), parent[kept], wanted.key[kept])


def place_freely(
    grid: Grid,
    n_spots: Int64[np.ndarray, " sites"],
    spread: Float[np.ndarray, "d d"] | None,
    rng: np.random.Generator,
) -> Points:
    """Find places in the grid, each voxel for one spot.

    Parameters
    ----------
    n_spots
        Of each cluster, whose centres are anywhere in the grid.
    spread
        As in `place_in_cells`, for all clusters; None: single spots.

    Raises
    ------
    RecipeError
        If they are more than memory can hold.
    """
    refuse_too_many(int(n_spots.sum()))
    voxel, shape, extent = np.asarray(grid.voxel_um), np.asarray(grid.shape_px), np.asarray(grid.extent_um)
    around = np.repeat(rng.uniform(0, extent, (len(n_spots), grid.ndim)), n_spots, axis=0)
    centre, home = np.empty_like(around), np.full(len(around), -1, np.int64)
    waiting = np.arange(len(around))
    for _ in range(_N_TRIES):
        if spread is None:
            tried = rng.uniform(0, extent, (len(waiting), grid.ndim))
        else:
            tried = around[waiting] + rng.standard_normal((len(waiting), grid.ndim)) @ spread.T
        voxels = np.floor(np.clip(tried / voxel, -1, shape)).astype(np.int64)
        inside = np.flatnonzero(((voxels >= 0) & (voxels < shape)).all(axis=1))
        places = np.ravel_multi_index(tuple(voxels[inside].T), grid.shape_px)
        places, first = np.unique(places, return_index=True)  # of several in one voxel the first
        is_free = np.isin(places, home, invert=True)
        found = inside[first[is_free]]
        centre[waiting[found]], home[waiting[found]] = tried[found], places[is_free]
        waiting = np.delete(waiting, found)
        if not len(waiting):
            break
    _tell_of_lost(len(centre), int((home >= 0).sum()), grid)
    return centre[home >= 0]


def _tell_of_lost(n: int, n_placed: int, grid: Grid) -> None:
    if n_placed < _MANY_PLACED * n:
        _log.warning(
            "spots: %d of %d found a voxel of their own of %s um; the others are left out. Give fewer, a wider cluster "
            "that still lies in the grid, or smaller voxels",
            n_placed,
            n,
            list(grid.voxel_um),
        )


def labels_at(scene: Scene, points_um: Points) -> Integer[np.ndarray, " n"]:
    """Labels of the voxels that points in the grid lie in; every block of the grid is drawn once at most."""
    grid = scene.grid
    voxels = np.floor(points_um / grid.voxel_um).astype(np.int64)
    found = np.zeros(len(points_um), np.int32)
    for box in grid.boxes((_BLOCK_PX[grid.ndim],) * grid.ndim):
        inside = np.flatnonzero(((voxels >= box.start) & (voxels < box.stop)).all(axis=1))
        if len(inside):
            found[inside] = scene.draw(box)[tuple((voxels[inside] - box.start).T)]
    return found


def _beginnings(counts: np.ndarray) -> Int64[np.ndarray, " n_and_one"]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def refuse_too_many(n: int) -> None:
    """Refuse more spots than memory can hold.

    Raises
    ------
    RecipeError
        Says how many there may be.
    """
    if n > MOST_SPOTS:
        raise RecipeError(
            f"spots: {n:,} of them are asked for in one image, and up to {MOST_SPOTS:,} are made; give fewer per cell, "
            "fewer per cluster, or a lower density"
        )


def _blocks(scene: Scene, rows: Int64[np.ndarray, " n"]) -> Iterator[tuple[Int64[np.ndarray, " m"], Box]]:
    """Cells by the block that their middle is in, with the box that holds them whole."""
    flat = 3 - scene.grid.ndim
    low, high = scene.index.low[:, flat:], scene.index.high[:, flat:]
    rows = rows[(high[rows] > low[rows]).all(axis=1)]
    block = (low[rows] + high[rows]) // 2 // _BLOCK_PX[scene.grid.ndim]
    for place in np.unique(block, axis=0):
        own = rows[(block == place).all(axis=1)]
        yield own, Box(tuple(low[own].min(axis=0).tolist()), tuple(high[own].max(axis=0).tolist()))


@njit(cache=True, nogil=True)
def _fill_shares(out, keys, index, stream):
    for i in range(out.size):
        out[i] = uniform(keys[i], index[i], stream)


@njit(cache=True, nogil=True)
def _voxels_of(labels, label, start, low, high, shape, is_flat, inside):
    """List the voxels of a cell, as places in its box; gives their number and whether the border may cut the cell."""
    m, is_cut = 0, False
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                if labels[z - start[0], y - start[1], x - start[2]] != label:
                    continue
                inside[m] = ((z - low[0]) * (high[1] - low[1]) + y - low[1]) * (high[2] - low[2]) + x - low[2]
                m += 1
                if y == 0 or x == 0 or y == shape[1] - 1 or x == shape[2] - 1:
                    is_cut = True
                if not is_flat and (z == 0 or z == shape[0] - 1):
                    is_cut = True
    return m, is_cut


@njit(cache=True, nogil=True)
def _point_in(place, low, high, voxel, key, number, point):
    """Random point of a voxel of a cell's box, in um."""
    n_y, n_x = high[1] - low[1], high[2] - low[2]
    point[0] = (low[0] + place // (n_y * n_x) + uniform(key, number, _JITTER)) * voxel[0]
    point[1] = (low[1] + place // n_x % n_y + uniform(key, number, _JITTER + 1)) * voxel[1]
    point[2] = (low[2] + place % n_x + uniform(key, number, _JITTER + 2)) * voxel[2]


@njit(cache=True, nogil=True)
def _point_around(middle, spread, key, number, point):
    """Random point of a Gaussian (Box-Muller), in um."""
    first = math.sqrt(-2.0 * math.log(1.0 - uniform(key, number, _NORMAL)))
    second = math.sqrt(-2.0 * math.log(1.0 - uniform(key, number, _NORMAL + 1)))
    angle = 2.0 * math.pi * uniform(key, number, _NORMAL + 2)
    a, b = first * math.cos(angle), first * math.sin(angle)
    c = second * math.cos(2.0 * math.pi * uniform(key, number, _NORMAL + 3))
    for k in range(3):
        point[k] = middle[k] + spread[k, 0] * a + spread[k, 1] * b + spread[k, 2] * c


@njit(cache=True, nogil=True)
def _place_in_cells(
    labels,
    start,
    shape,
    voxel,
    is_flat,
    rows,
    lows,
    highs,
    cell_keys,
    volume_um,
    first_site,
    first_spot,
    spot_keys,
    spreads,
    centre,
    parent,
):
    middle, point = np.empty(3), np.empty(3)
    for row in rows:
        low, high, key = lows[row], highs[row], cell_keys[row]
        n_y, n_x = high[1] - low[1], high[2] - low[2]
        inside = np.empty((high[0] - low[0]) * n_y * n_x, np.int64)
        m, is_cut = _voxels_of(labels, row + 1, start, low, high, shape, is_flat, inside)
        if m == 0:
            continue
        share = m * voxel[0] * voxel[1] * voxel[2] / volume_um[row] if is_cut else 1.0
        is_taken = np.zeros(inside.size, np.bool_)
        for site in range(first_site[row], first_site[row + 1]):
            number = site - first_site[row]
            if uniform(key, number, _SHOWS) >= share:
                continue
            _point_in(inside[int(uniform(key, number, _VOXEL) * m)], low, high, voxel, key, number, middle)
            for spot in range(first_spot[site], first_spot[site + 1]):
                own = spot_keys[spot]
                for attempt in range(_N_TRIES):
                    if len(spreads):
                        spread = spreads[row if len(spreads) > 1 else 0]
                        _point_around(middle, spread, own, attempt, point)
                    else:
                        place = inside[int(uniform(own, attempt, _VOXEL) * m)]
                        _point_in(place, low, high, voxel, own, attempt, point)
                    if is_flat:
                        point[0] = 0.5
                    z, y, x = (
                        math.floor(point[0] / voxel[0]),
                        math.floor(point[1] / voxel[1]),
                        math.floor(point[2] / voxel[2]),
                    )
                    if not (low[0] <= z < high[0] and low[1] <= y < high[1] and low[2] <= x < high[2]):
                        continue
                    place = ((z - low[0]) * n_y + y - low[1]) * n_x + x - low[2]
                    if is_taken[place] or labels[z - start[0], y - start[1], x - start[2]] != row + 1:
                        continue
                    is_taken[place] = True
                    centre[spot] = point
                    parent[spot] = row + 1
                    break
