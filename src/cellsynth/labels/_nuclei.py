"""One nucleus per cell of a tissue: as large as asked for, turned as the cell is, nearer to its middle than its wall.

The rule is that of the simulator of cell cultures by Bruch et al. [1]_, where a nucleus is a picture that is scaled to a
part of the volume of its cell, turned to its axis, and put where the distance to the wall is drawn to be large, if at
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

from ..core.cell_walls import ray_length, room_at, walls_of
from ..core.lattice import uniform
from ..core.tessellation import NO_WALLS, Tessellation

_INSIDE = 0.96
"""Part of a nucleus that has to lie inside, as found at `_N_POINTS` points: 0.95 with a margin for their number."""

_N_POINTS = 200
_N_PLACES = 24
"""Random places of a cell that one is drawn from."""


@dataclass(frozen=True, eq=False)
class Nuclei:
    """One for each cell, in the order of the tessellation, before the warp."""

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
) -> Nuclei:
    """Put a nucleus into each cell.

    Parameters
    ----------
    axes_um, rotation
        Semi-axes of the ellipsoid with the moments of each cell, and their directions, columns; in 2D the first is
        across the plane.
    ratio
        Volume of each nucleus over that of its cell.
    elongation
        0 makes nuclei round, 1 as elongated as their cells.
    """
    d, n = 2 if diagram.is_flat else 3, len(diagram)
    order = diagram.order
    unit = np.pi if d == 2 else 4 / 3 * np.pi
    radius = (ratio * diagram.extents.volume / unit) ** (1 / d)
    field = diagram.walls or NO_WALLS
    centre, axes, is_smaller = np.empty((n, 3)), np.ones((n, 3)), np.zeros(n, np.bool_)
    _place(
        *diagram.bins, diagram.key[order], diagram.extents.centroid_um[order], axes_um[order],
        np.ascontiguousarray(rotation[order]), radius[order], elongation, membrane_um / 2,
        field.values, field.origin_um, field.step_um, diagram.walls is not None, _unit_points(d), d,
        centre, axes, is_smaller,
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
    seed, weight, reach, first, n_bins, low, size, keys, centroid, cell_axes, rotation, radius, elongation,
    half_membrane, field, origin, step, has_border, points, d, centre, axes, is_smaller,
):  # fmt: skip
    for i in prange(seed.shape[0]):
        walls = walls_of(i, seed, weight, first, n_bins, low, size)
        middle, chosen, here, turn = centroid[i] - seed[i], np.empty(3), np.empty(3), rotation[i]
        total = 0.0
        chosen[:] = middle
        direction = np.zeros(3)
        for c in range(_N_PLACES):
            angle = 2.0 * np.pi * uniform(keys[i], c, 60)
            height = 2.0 * uniform(keys[i], c, 61) - 1.0 if d == 3 else 0.0
            width = np.sqrt(1.0 - height * height)
            direction[0], direction[1], direction[2] = height, width * np.sin(angle), width * np.cos(angle)
            length = ray_length(
                seed[i], direction, walls, reach[i], field, origin, step, has_border, half_membrane
            )
            way = length * uniform(keys[i], c, 62) ** (1.0 / d)
            room = room_at(
                way * direction[0], way * direction[1], way * direction[2], seed[i], walls, field, origin,
                step, has_border,
            )  # fmt: skip
            # Such a place stands for a part of the cell as large as its ray is long, to the power of d.
            share = length**d * max(room, 0.0)
            total += share
            if share > 0.0 and uniform(keys[i], c, 63) * total < share:
                chosen[:] = way * direction
        smaller, following = 1.0, elongation
        fits = False
        for attempt in range(100):
            if attempt <= 5:
                here[:] = middle + (1.0 - 0.2 * attempt) * (chosen - middle)
            elif attempt <= 8:
                following = elongation + (1.0 - elongation) * (attempt - 5) / 3.0
            else:
                smaller *= 0.96
            mean = 1.0
            for k in range(3 - d, 3):
                mean *= cell_axes[i, k] ** (1.0 / d)
            for k in range(3 - d, 3):
                axes[i, k] = smaller * radius[i] * (cell_axes[i, k] / mean) ** following
            fits = _is_inside(
                here, seed[i], axes[i], turn, walls, field, origin, step, has_border, points, half_membrane
            )
            if fits:
                break
        centre[i] = seed[i] + here
        is_smaller[i] = smaller < 1.0


@njit(cache=True, nogil=True)
def _is_inside(here, place, axes, turn, walls, field, origin, step, has_border, points, half_membrane):
    """Whether enough of an ellipsoid lies in the cell without its membrane."""
    allowed = int((1.0 - _INSIDE) * points.shape[0])
    for p in range(points.shape[0]):
        u, v, w = axes[0] * points[p, 0], axes[1] * points[p, 1], axes[2] * points[p, 2]
        room = room_at(
            here[0] + turn[0, 0] * u + turn[0, 1] * v + turn[0, 2] * w,
            here[1] + turn[1, 0] * u + turn[1, 1] * v + turn[1, 2] * w,
            here[2] + turn[2, 0] * u + turn[2, 1] * v + turn[2, 2] * w,
            place, walls, field, origin, step, has_border,
        )  # fmt: skip
        if room < half_membrane:
            allowed -= 1
            if allowed < 0:
                return False
    return True
