"""One nucleus per cell of a tissue: as large as asked for, turned as the cell is, nearer to its middle than its wall.

The rule is that of the simulator of cell cultures by Bruch et al. [1]_, where a nucleus is a picture that is scaled to
a part of the volume of its cell, turned to its axis, and put where the distance to the wall is drawn to be large, if at
least 95 % of it lies inside. Here a nucleus that does not fit there moves towards the middle instead of being drawn
anew; if it does not fit in the middle either, it takes the proportions of the cell, and then becomes smaller.

References
----------
.. [1] R. Bruch et al., Communications Biology (2025), doi:10.1038/s42003-025-07469-2. Their cells are voxels; ours are
   cells of a tessellation, whose walls are known.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numba import njit, prange

from ..core.cell_walls import ray_length, room_to_walls, walls_of
from ..core.field import depth_at
from ..core.lattice import noise, uniform
from ..core.shapes import Enclosed
from ..core.tessellation import NO_WALLS, Tessellation
from ..core.warp import unwarped_place, warped_place

_INSIDE = 0.96
"""Part of a nucleus that has to lie inside, as found at `_N_POINTS` points: 0.95 with a margin for their number."""

_N_POINTS = 200
_N_PLACES = 24
"""Random places of a cell that one is drawn from."""


@dataclass(frozen=True, eq=False)
class Nuclei:
    """One for each cell, in the order of the tessellation."""

    centre_um: Float[np.ndarray, "n 3"]
    semi_axes_um: Float[np.ndarray, "n 3"]
    """Along the axes of the cell."""

    is_smaller: Bool[np.ndarray, " n"]
    """Which had no room at the size that was asked for."""


def place_nuclei(
    diagram: Tessellation,
    axes_um: Float[np.ndarray, "n 3"],
    rotation: Float[np.ndarray, "n 3 3"],
    ratio: Float[np.ndarray, " n"],
    elongation: float,
    membrane_um: float,
    irregularity: float,
) -> Nuclei:
    """Put a nucleus into each cell as it is after the warp.

    Parameters
    ----------
    axes_um, rotation
        Semi-axes of the ellipsoid with the moments of each cell, and their directions, columns; in 2D the first is
        across the plane.
    ratio
        Volume of each nucleus over that of its cell.
    elongation
        0 makes nuclei round, 1 as elongated as their cells.
    irregularity
        Of their outlines, as the shape `Enclosed` draws them.
    """
    d, n = 2 if diagram.is_flat else 3, len(diagram)
    order = diagram.order
    unit = np.pi if d == 2 else 4 / 3 * np.pi
    radius = (ratio * diagram.extents.volume / unit) ** (1 / d)
    field = diagram.walls or NO_WALLS
    centre, axes, is_smaller = np.empty((n, 3)), np.ones((n, 3)), np.zeros(n, np.bool_)
    _place(
        *diagram.bins, diagram.extents.n_rings[order], diagram.key[order],
        diagram.extents.centroid_um[order], axes_um[order],
        np.ascontiguousarray(rotation[order]), radius[order], elongation, membrane_um / 2,
        field.values, field.origin_um, field.step_um, diagram.walls is not None,
        np.uint64(diagram.warp.key), diagram.warp.amplitude_um, diagram.warp.length_um,
        _unit_points(d), irregularity, Enclosed.lobes, d, centre, axes, is_smaller,
    )  # fmt: skip
    back = np.argsort(order)
    return Nuclei(centre[back], axes[back], is_smaller[back])


def _unit_points(d: int) -> np.ndarray:
    """Points evenly in the unit disc (at z = 0) or the unit ball: the generalised golden ratio's sequence."""
    turn = np.arange(_N_POINTS) + 0.5
    if d == 2:
        radius, angle = np.sqrt(turn / _N_POINTS), np.pi * (3 - np.sqrt(5)) * turn
        return np.column_stack([np.zeros(_N_POINTS), radius * np.sin(angle), radius * np.cos(angle)])
    first, second = (turn * 0.7548776662466927) % 1, (turn * 0.5698402909980532) % 1
    height, angle, radius = 2 * first - 1, 2 * np.pi * second, np.cbrt(turn / _N_POINTS)
    width = np.sqrt(1 - height**2)
    return radius[:, None] * np.column_stack([height, width * np.sin(angle), width * np.cos(angle)])


@njit(cache=True, parallel=True, error_model="numpy")
def _place(
    seed, weight, reach, first, n_bins, low, size, n_rings, keys, centroid, cell_axes, rotation, radius, elongation,
    half_membrane, field, origin, step, has_border, warp, amplitude, wave_length, points, irregularity, lobes, d,
    centre, axes, is_smaller,
):  # fmt: skip
    for i in prange(seed.shape[0]):
        walls = walls_of(i, seed, weight, first, n_bins, low, size, n_rings[i])
        middle, chosen, here, outline = centroid[i] - seed[i], np.empty(3), np.empty(3), np.empty_like(points)
        _choose(
            chosen,
            middle,
            keys[i],
            seed[i],
            walls,
            reach[i],
            field,
            origin,
            step,
            has_border,
            half_membrane,
            d,
        )
        for p in range(points.shape[0]):
            outline[p] = points[p] * _bulge(keys[i], points[p], irregularity, lobes)
        mean = 1.0
        for k in range(3 - d, 3):
            mean *= cell_axes[i, k] ** (1.0 / d)
        smaller, following = 1.0, elongation
        for attempt in range(100):
            if attempt <= 5:
                here[:] = seed[i] + middle + (1.0 - 0.2 * attempt) * (chosen - middle)
                here[0], here[1], here[2] = unwarped_place(
                    warp, amplitude, wave_length, d == 2, here[0], here[1], here[2]
                )
            elif attempt <= 8:
                following = elongation + (1.0 - elongation) * (attempt - 5) / 3.0
            else:
                smaller *= 0.96
            for k in range(3 - d, 3):
                axes[i, k] = smaller * radius[i] * (cell_axes[i, k] / mean) ** following
            if _is_inside(
                here, seed[i], axes[i], rotation[i], walls, field, origin, step, has_border, warp, amplitude,
                wave_length, outline, half_membrane, d,
            ):  # fmt: skip
                break
        centre[i] = here
        is_smaller[i] = smaller < 1.0


@njit(cache=True, nogil=True)
def _choose(chosen, middle, key, place, walls, reach, field, origin, step, has_border, half_membrane, d):
    """Write the offset from the seed of a random place of the cell, the likelier the further it is from the walls."""
    total, direction = 0.0, np.zeros(3)
    chosen[:] = middle
    for c in range(_N_PLACES):
        angle = 2.0 * np.pi * uniform(key, c, 60)
        height = 2.0 * uniform(key, c, 61) - 1.0 if d == 3 else 0.0
        width = np.sqrt(1.0 - height * height)
        direction[0], direction[1], direction[2] = height, width * np.sin(angle), width * np.cos(angle)
        length = ray_length(place, direction, walls, reach, field, origin, step, has_border, half_membrane)
        way = length * uniform(key, c, 62) ** (1.0 / d)
        z, y, x = way * direction[0], way * direction[1], way * direction[2]
        room = room_to_walls(z, y, x, walls)
        if has_border:
            room = min(room, depth_at(field, origin, step, place[0] + z, place[1] + y, place[2] + x)[0])
        # Such a place stands for a part of the cell as large as its ray is long, to the power of d.
        share = length**d * max(room, 0.0)
        total += share
        if share > 0.0 and uniform(key, c, 63) * total < share:
            chosen[:] = way * direction


@njit(cache=True, nogil=True)
def _bulge(key, point, irregularity, lobes):
    """How much further out than the ellipsoid the outline is in the direction of a point."""
    distance = np.sqrt(point[0] ** 2 + point[1] ** 2 + point[2] ** 2)
    if irregularity == 0.0 or distance == 0.0:
        return 1.0
    scale = lobes / distance
    return 1.0 + irregularity * noise(key, point[0] * scale, point[1] * scale, point[2] * scale)


@njit(cache=True, nogil=True)
def _is_inside(
    here, seed, axes, turn, walls, field, origin, step, has_border, warp, amplitude, wave_length, outline,
    half_membrane, d,
):  # fmt: skip
    """Whether enough of a nucleus lies in the cell without its membrane."""
    allowed = int((1.0 - _INSIDE) * outline.shape[0])
    for p in range(outline.shape[0]):
        u, v, w = axes[0] * outline[p, 0], axes[1] * outline[p, 1], axes[2] * outline[p, 2]
        z = here[0] + turn[0, 0] * u + turn[0, 1] * v + turn[0, 2] * w
        y = here[1] + turn[1, 0] * u + turn[1, 1] * v + turn[1, 2] * w
        x = here[2] + turn[2, 0] * u + turn[2, 1] * v + turn[2, 2] * w
        wz, wy, wx = warped_place(warp, amplitude, wave_length, d == 2, z, y, x)
        room = room_to_walls(wz - seed[0], wy - seed[1], wx - seed[2], walls)
        if room >= half_membrane and has_border:
            room = min(room, depth_at(field, origin, step, z, y, x)[0])
        if room < half_membrane:
            allowed -= 1
            if allowed < 0:
                return False
    return True
