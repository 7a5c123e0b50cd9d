"""Where the cells of a tissue have their seeds: evenly over a region, or in one layer in the middle of it."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, UInt64
from numba import njit

from ..core.field import LatticeField, depth_at
from ._packing import pack, scattered

_DENSEST = {1: 0.95, 2: 0.82, 3: 0.6}
"""By dimension: part of the room that balls around the seeds fill where the tissue is as regular as can be: near jamming."""

_MAX_ROUNDS = 300
"""Of pushing apart. What overlap is left shifts walls a little."""


def spread_seeds(
    keys: UInt64[np.ndarray, " n"],
    radius_um: Float[np.ndarray, " n"],
    low_um: np.ndarray,
    high_um: np.ndarray,
    walls: LatticeField | None,
    *,
    regularity: float,
    d: int,
    ndim: int,
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, " n"]]:
    """Push balls apart, each as large as its cell wants to be but for the gaps.

    Parameters
    ----------
    radius_um
        Of the ball (or circle, in a plane or a layer) of the size of each cell.
    regularity
        0 leaves the seeds where chance put them, 1 packs the balls as densely as they go.
    d, ndim
        Dimensions that the cells compete for, and of the grid: they differ in a single layer.

    Returns
    -------
    seed_um : (n, 3)
    weight_um2 : (n,)
        Squared radii of the balls: with them each cell holds its ball.
    """
    is_layer = d < ndim
    ball = radius_um * (regularity * _DENSEST[d]) ** (1 / d)
    room, slack = walls, 0.0
    if is_layer:
        assert walls is not None
        room, slack = _around_the_middle(walls, float(ball.max(initial=0)))
    seeds = scattered(keys, low_um, high_um, room)
    n = len(keys)
    if regularity > 0:
        packing = pack(
            seeds, np.repeat(ball[:, None], 3, axis=1), np.broadcast_to(np.eye(3), (n, 3, 3)).copy(),
            low_um, high_um, walls=room, is_flat=ndim == 2, max_rounds=_MAX_ROUNDS,
        )  # fmt: skip
        seeds = packing.centre_um
    if is_layer:
        assert walls is not None
        _climb(seeds, walls.values, walls.origin_um, walls.step_um, slack, ndim == 2)
    return seeds, ball**2


def is_layered(walls: LatticeField) -> bool:
    """Whether a region has sides that a layer can be between; in a plane a slab has none."""
    return float(np.ptp(walls.values)) > 0


def thickness_of(walls: LatticeField) -> float:
    """Of a layer: twice the depth in its middle."""
    return 2 * float(walls.values.max())


def room_of(walls: LatticeField | None, low_um: np.ndarray, high_um: np.ndarray, ndim: int) -> float:
    """Area or volume of the region in a box."""
    low, extent = low_um[3 - ndim :], (high_um - low_um)[3 - ndim :]
    box = float(np.prod(extent))
    if walls is None:
        return box
    n = {2: 500, 3: 64}[ndim]
    axes = [a + e * (np.arange(n) + 0.5) / n for a, e in zip(low, extent, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, ndim)
    # A point stands for a small box, which the border may cut.
    side = float(np.min(extent)) / n
    return box * float(np.clip(walls.at(points) / side + 0.5, 0, 1).mean())


def _around_the_middle(walls: LatticeField, largest_um: float) -> tuple[LatticeField, float]:
    """A region in which the largest ball has room only in the middle of the layer, and how far from it."""
    depth = float(walls.values.max())
    # The lattice of the depth rounds the ridge in the middle.
    slack = 0.1 * depth + 0.5 * float(walls.step_um.max())
    return replace(walls, values=walls.values + np.float32(largest_um + slack - depth)), slack


@njit(cache=True, nogil=True)
def _climb(points, field, origin, step, first_stride, is_flat):
    """Move points to the greatest depth nearby."""
    for i in range(points.shape[0]):
        depth, nz, ny, nx = depth_at(field, origin, step, points[i, 0], points[i, 1], points[i, 2])
        stride = first_stride
        while stride > 1e-3 * first_stride:
            z = points[i, 0] + (0.0 if is_flat else stride * nz)
            y, x = points[i, 1] + stride * ny, points[i, 2] + stride * nx
            there, mz, my, mx = depth_at(field, origin, step, z, y, x)
            if there > depth:
                points[i, 0], points[i, 1], points[i, 2] = z, y, x
                depth, nz, ny, nx = there, mz, my, mx
            else:
                stride *= 0.5
