"""Where the cells of a tissue have their seeds: evenly over a region, or in one layer in the middle of it."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, UInt64
from numba import njit

from ..core.field import LatticeField, depth_at
from ..core.tessellation import Tessellation
from ..core.warp import Warp
from ._packing import pack, scattered

_DENSEST = {1: 0.95, 2: 0.82, 3: 0.6}
"""By dimension: part of the room that balls around the seeds fill in the most regular tissue; near jamming."""

_ROUNDS = {1: 60, 2: 20, 3: 8}
"""Of evening out, by dimension, in the most regular tissue: in few dimensions unevenness spreads slowly."""

_N_RAYS = {1: 64, 2: 96, 3: 96}
"""By which a cell is measured in a round, by dimension; enough, as the next one mends what this one got wrong."""

_STEP = 0.5
"""Part of what its volume lacks that a cell is given in a round: its neighbours change as well."""

_POINTS = 33
"""Of the lattice of a box, along each axis."""

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
    reach_um: float,
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
    return _even_out(
        keys, seeds, radius_um, ball**2, _boxed(walls, low_um, high_um, ndim),
        n_rounds=round(_ROUNDS[d] * regularity), d=d, ndim=ndim, reach_um=reach_um, slack=slack,
    )  # fmt: skip


def _even_out(
    keys: np.ndarray,
    seeds: np.ndarray,
    radius: np.ndarray,
    weights: np.ndarray,
    walls: LatticeField,
    *,
    n_rounds: int,
    d: int,
    ndim: int,
    reach_um: float,
    slack: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Move seeds to the centroids of their cells [1]_, and give weight to cells that are too small.

    References
    ----------
    .. [1] S. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28 (1982) 129-137.
    """
    low, high = walls.origin_um, walls.origin_um + walls.step_um * (np.array(walls.values.shape) - 1)
    reach, ball2 = np.full(len(keys), reach_um), weights
    still = Warp(0, 0.0, 1.0)
    for _ in range(n_rounds):
        diagram = Tessellation(seeds, weights, keys, reach, still, walls, ndim == 2)
        extents = diagram.measured(0.0, _N_RAYS[d])
        share = radius**d / (radius**d).sum()
        lacking = share / np.maximum(extents.volume / extents.volume.sum(), 1e-3 * share) - 1
        # Walls that move out by some of the radius: of the weight four times as much of its square, of the volume d.
        weights = weights + _STEP * 4 / d * radius**2 * np.clip(lacking, -0.3, 0.3)
        # With more weight, or less, a seed might come to lie in the cell of another one.
        weights = np.clip(weights, 0.25 * ball2, 1.75 * ball2)
        seeds = np.clip(extents.centroid_um, low, high)
        if d < ndim:
            _climb(seeds, walls.values, walls.origin_um, walls.step_um, slack, ndim == 2)
    return seeds, weights


def _boxed(walls: LatticeField | None, low_um: np.ndarray, high_um: np.ndarray, ndim: int) -> LatticeField:
    """A region that ends at a box, so that all cells end somewhere."""
    if walls is None:
        counts = np.array([2] * (3 - ndim) + [_POINTS] * ndim)
        steps = np.where(counts > 2, (high_um - low_um) / (counts - 1), 1.0)
        walls = LatticeField(np.full(tuple(counts), np.inf, np.float32), low_um, steps)
    values = walls.values
    for axis in range(3 - ndim, 3):
        place = walls.origin_um[axis] + walls.step_um[axis] * np.arange(values.shape[axis])
        depth = np.minimum(place - low_um[axis], high_um[axis] - place).astype(np.float32)
        values = np.minimum(values, depth.reshape([-1 if k == axis else 1 for k in range(3)]))
    return replace(walls, values=values)


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
