"""Where cells go: free or in contact, without overlap beyond what is allowed; in 2D and 3D."""

import math

import numpy as np
from jaxtyping import Float, Integer, UInt64
from numba import njit

from ..core.field import LatticeField, depth_at
from ..core.lattice import noise, uniform
from ._contact import contact, squared, support, with_gap

_NO_WALLS = (np.zeros((2, 2, 2), np.float32), np.zeros(3), np.ones(3))

N_TRIES = 200
"""Positions that a cell may try before it is given up, if nothing else is said."""


def place(
    keys: UInt64[np.ndarray, " n"],
    semi_axes: Float[np.ndarray, "n d"],
    rotation: Float[np.ndarray, "n d d"],
    low: np.ndarray,
    high: np.ndarray,
    touching: float,
    overlap: float,
    min_gap: float,
    patchiness: float,
    patch_length: float,
    field_key: int,
    walls: LatticeField | None = None,
    n_tries: int = N_TRIES,
    is_stopping: bool = False,
    is_exact: bool = False,
) -> tuple[Float[np.ndarray, "n d"], Integer[np.ndarray, " kept"]]:
    """Put ellipsoids one after another at random places of a box.

    A cell is either put in contact with a placed one (probability `touching`) or into free space at least
    `min_gap` away from all others. Neighbours are found in a table of square cells, so the cost grows with the
    number of objects only.

    Parameters
    ----------
    keys
        What the positions that a cell tries are keyed by.
    low, high
        (d,) corners of the box for the centres, in the unit of the axes.
    overlap
        Share of the contact distance by which cells may interpenetrate, 0 to below 1.
    patchiness
        0 is even; at 2 the densest places have about 50 times the density of the emptiest.
    patch_length
        Size of the dense and the empty places.
    walls
        Depth in a region that cells have to be in as a whole; None where there is none.
    n_tries
        Positions that a cell may try.
    is_stopping
        The first cell that finds no place is the last that is tried.
    is_exact
        Ellipsoids are in contact where their surfaces are. Else they count as in contact where the distance of their
        centres is the sum of their radii along the line between them, which is the same for spheres.

    Returns
    -------
    centre : (n, d)
    kept : ascending indices of the cells that found a place within `n_tries` tries; in a crowded box the
        others are given up.
    """
    n, d = semi_axes.shape
    if n == 0:
        return np.zeros((0, d)), np.zeros(0, np.int64)
    centre = np.zeros((n, 3))
    axes3, rotation3 = np.ones((n, 3)), np.zeros((n, 3, 3))
    rotation3[:, 0, 0] = 1.0
    axes3[:, 3 - d :], rotation3[:, 3 - d :, 3 - d :] = semi_axes, rotation
    forms, wide_forms = np.empty((n, 6)), np.empty((n, 6))
    _fill_forms(axes3, rotation3, forms)
    wide = with_gap(axes3, min_gap, n_flat=3 - d)
    _fill_forms(wide, rotation3, wide_forms)
    low3, high3 = np.zeros(3), np.zeros(3)
    low3[3 - d :], high3[3 - d :] = low, high
    is_placed = np.zeros(n, np.bool_)
    _place(
        keys,
        axes3,
        rotation3,
        low3,
        high3,
        3 - d,
        touching,
        overlap,
        min_gap,
        patchiness,
        max(patch_length, 1e-9),
        np.uint64(field_key),
        centre,
        is_placed,
        n_tries,
        is_stopping,
        is_exact,
        forms,
        wide_forms,
        _bin_size(
            float(wide[:, 3 - d :].max()) if is_exact else float(semi_axes.max()) + min_gap / 2, low, high, n
        ),
        walls is not None,
        *((walls.values, walls.origin_um, walls.step_um) if walls is not None else _NO_WALLS),
    )
    return centre[:, 3 - d :], np.flatnonzero(is_placed)


def _bin_size(furthest: float, low: np.ndarray, high: np.ndarray, n: int) -> float:
    """Side of the cells of the table: twice the reach of a body, or such that there are not many more than bodies."""
    size = max(2 * furthest, 1e-9)
    while np.prod(np.floor((high - low) / size) + 1) > 2 * n + 2**20:
        size *= 1.25
    return size


@njit(cache=True)
def _fill_forms(axes, rotation, out):
    for i in range(axes.shape[0]):
        squared(axes[i], rotation[i], 1.0, out[i])


@njit(cache=True)
def _radius(axes, rotation, dz, dy, dx):
    """Distance from the centre to the surface along a unit direction."""
    total = 0.0
    for j in range(3):
        along = (rotation[0, j] * dz + rotation[1, j] * dy + rotation[2, j] * dx) / axes[j]
        total += along * along
    return 1.0 / math.sqrt(total)


@njit(cache=True)
def _direction(key, attempt, first):
    """Uniform unit vector; in 2D (first = 1) in the plane."""
    azimuth = 2.0 * math.pi * uniform(key, attempt, 10)
    height = 2.0 * uniform(key, attempt, 11) - 1.0 if first == 0 else 0.0
    width = math.sqrt(1.0 - height * height)
    return height, width * math.sin(azimuth), width * math.cos(azimuth)


@njit(cache=True)
def _is_free(
    i,
    z,
    y,
    x,
    axes,
    rotation,
    centre,
    head,
    following,
    n_bins,
    low,
    bin_size,
    overlap,
    gap,
    touched,
    is_exact,
    forms,
    wide_forms,
):
    """Whether cell i at a position keeps its distance to all placed cells; `touched` may be in contact."""
    bz, by, bx = int((z - low[0]) / bin_size), int((y - low[1]) / bin_size), int((x - low[2]) / bin_size)
    for cz in range(max(bz - 1, 0), min(bz + 2, n_bins[0])):
        for cy in range(max(by - 1, 0), min(by + 2, n_bins[1])):
            for cx in range(max(bx - 1, 0), min(bx + 2, n_bins[2])):
                j = head[(cz * n_bins[1] + cy) * n_bins[2] + cx]
                while j >= 0:
                    dz, dy, dx = z - centre[j, 0], y - centre[j, 1], x - centre[j, 2]
                    distance = math.sqrt(dz * dz + dy * dy + dx * dx)
                    if distance < 1e-12:
                        return False
                    if is_exact:
                        if touched >= 0:
                            needed = (1.0 - overlap) ** 2 * (1.0 - 1e-6)
                            if contact(dz, dy, dx, forms[i], forms[j], needed) < needed:
                                return False
                        elif contact(dz, dy, dx, wide_forms[i], wide_forms[j], 1.0) < 1.0:
                            return False
                        j = following[j]
                        continue
                    dz, dy, dx = dz / distance, dy / distance, dx / distance
                    reach = _radius(axes[i], rotation[i], dz, dy, dx) + _radius(
                        axes[j], rotation[j], dz, dy, dx
                    )
                    needed = reach * (1.0 - overlap) if touched >= 0 else reach + gap
                    if distance < needed * (1.0 - 1e-9):
                        return False
                    j = following[j]
    return True


@njit(cache=True)
def _place(
    keys,
    axes,
    rotation,
    low,
    high,
    first,
    touching,
    overlap,
    gap,
    patchiness,
    patch_length,
    field_key,
    centre,
    is_placed,
    n_tries,
    is_stopping,
    is_exact,
    forms,
    wide_forms,
    bin_size,
    has_walls,
    field,
    origin,
    step,
):
    n = axes.shape[0]
    n_bins = np.empty(3, np.int64)
    for k in range(3):
        n_bins[k] = int((high[k] - low[k]) / bin_size) + 1
    head = np.full(n_bins[0] * n_bins[1] * n_bins[2], -1, np.int64)
    following = np.full(n, -1, np.int64)
    placed = np.empty(n, np.int64)
    n_placed = 0
    form = np.empty(6)
    for i in range(n):
        if has_walls:
            squared(axes[i], rotation[i], 1.0, form)
        wants_contact = n_placed > 0 and uniform(keys[i], 0, 0) < touching
        for attempt in range(1, n_tries + 1):
            is_contact = wants_contact and attempt <= n_tries // 2
            if is_contact:
                j = placed[int(uniform(keys[i], attempt, 1) * n_placed)]
                dz, dy, dx = _direction(keys[i], attempt, first)
                if is_exact:
                    reach = 1.0 / math.sqrt(contact(dz, dy, dx, forms[i], forms[j], np.inf))
                else:
                    reach = _radius(axes[i], rotation[i], dz, dy, dx) + _radius(
                        axes[j], rotation[j], dz, dy, dx
                    )
                reach *= 1.0 - overlap * (0.4 + 0.6 * uniform(keys[i], attempt, 2))
                z, y, x = (
                    centre[j, 0] + reach * dz,
                    centre[j, 1] + reach * dy,
                    centre[j, 2] + reach * dx,
                )
                if (
                    z < low[0]
                    or y < low[1]
                    or x < low[2]
                    or (first == 0 and z > high[0])
                    or y > high[1]
                    or x > high[2]
                ):
                    continue
            else:
                j = -1
                z = low[0] + (high[0] - low[0]) * uniform(keys[i], attempt, 3)
                y = low[1] + (high[1] - low[1]) * uniform(keys[i], attempt, 4)
                x = low[2] + (high[2] - low[2]) * uniform(keys[i], attempt, 5)
                if patchiness > 0.0:
                    crowd = noise(field_key, z / patch_length, y / patch_length, x / patch_length)
                    if uniform(keys[i], attempt, 6) > math.exp(patchiness * min(1.7 * crowd - 1.0, 0.0)):
                        continue
            if has_walls:
                depth, nz, ny, nx = depth_at(field, origin, step, z, y, x)
                if depth < support(form, nz, ny, nx):
                    continue
            if not _is_free(
                i,
                z,
                y,
                x,
                axes,
                rotation,
                centre,
                head,
                following,
                n_bins,
                low,
                bin_size,
                overlap,
                gap,
                j,
                is_exact,
                forms,
                wide_forms,
            ):
                continue
            centre[i, 0], centre[i, 1], centre[i, 2] = z, y, x
            is_placed[i] = True
            placed[n_placed] = i
            n_placed += 1
            cell = (int((z - low[0]) / bin_size) * n_bins[1] + int((y - low[1]) / bin_size)) * n_bins[
                2
            ] + int((x - low[2]) / bin_size)
            following[i] = head[cell]
            head[cell] = i
            break
        if is_stopping and not is_placed[i]:
            break
