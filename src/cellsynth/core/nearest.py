"""The nearest label of every voxel, and how far it is: exact, in micrometres, in 2D and 3D."""

import math

import numpy as np
from jaxtyping import Int32
from numba import njit

from .types import Labels, Plane


def nearest_labels(
    labels: Labels, voxel_um: tuple[float, ...], max_distance_um: float | None = None
) -> tuple[Int32[np.ndarray, "*zyx"], Plane]:
    """Give every voxel the label that is nearest to it: Voronoi cells, membranes between cells, grown labels.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X)
        0 is background; ids need not be without gaps, and are below 2 ** 31.
    voxel_um
        Size of a voxel per axis; need not be equal.
    max_distance_um
        Voxels further from every label than this stay background; a smaller number is faster.

    Returns
    -------
    labels : int32
        Of labels that are equally near, always the same one, but not by a rule.
    distance_um : float32
        From the centre of a voxel to that of the nearest voxel with a label: 0 inside of labels, infinite where no
        label is near enough.

    Notes
    -----
    Axis by axis, as the squared distance is a sum over axes: along the first, the nearest label of each row by two
    sweeps; along each other, the lower envelope of one parabola per voxel, which tells which row it is nearest
    through. Time grows with the number of voxels alone.

    References
    ----------
    .. [1] P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions", Theory of Computing 8
       (2012) 415-428. Here the label travels with its parabola.
    """
    volume = np.ascontiguousarray(labels).reshape((1,) * (3 - labels.ndim) + labels.shape)
    step = np.array((1.0,) * (3 - labels.ndim) + tuple(voxel_um))
    limit = math.inf if max_distance_um is None else float(max_distance_um) ** 2
    nearest = np.empty(volume.shape, np.int32)
    squared = np.empty(volume.shape)
    _sweep_rows(volume, step[2], limit, nearest, squared)
    n_z, n_y, n_x = volume.shape
    _join_along(nearest, squared, (n_z, n_y, n_x), step[1], limit)
    if n_z > 1:
        shape = (1, n_z, n_y * n_x)
        _join_along(nearest.reshape(shape), squared.reshape(shape), shape, step[0], limit)
    distance = np.sqrt(squared, out=squared).astype(np.float32)
    return nearest.reshape(labels.shape), distance.reshape(labels.shape)


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep_rows(labels, step, limit, nearest, squared):
    """Nearest label within each row."""
    n = labels.shape[2]
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            row, label, square = labels[z, y], nearest[z, y], squared[z, y]
            last = -1
            for x in range(n):
                if row[x] != 0:
                    last = x
                if last >= 0:
                    label[x], square[x] = row[last], ((x - last) * step) ** 2
                else:
                    label[x], square[x] = 0, math.inf
            last = -1
            for x in range(n - 1, -1, -1):
                if row[x] != 0:
                    last = x
                elif last >= 0:
                    candidate = ((last - x) * step) ** 2
                    if candidate < square[x]:
                        label[x], square[x] = row[last], candidate
                if square[x] > limit:
                    label[x], square[x] = 0, math.inf


_BLOCK = 8
"""Columns that are copied at once: a cache line of squares."""


@njit(cache=True, nogil=True, error_model="numpy")
def _join_along(nearest, squared, shape, step, limit):
    """Nearest label along the middle axis, given the nearest one within each plane across it."""
    n_outer, n, n_inner = shape
    labels, squares = np.empty((_BLOCK, n), np.int32), np.empty((_BLOCK, n))
    # The envelope: where its parabolas have their lowest points, where each begins to be the lowest, and more of them.
    apex, begins = np.empty(n, np.int64), np.empty(n + 1)
    height, name = np.empty(n), np.empty(n, np.int32)
    # A product is several times faster than a quotient.
    half_over = np.empty(n + 1)
    for i in range(1, n + 1):
        half_over[i] = 0.5 / i
    for outer in range(n_outer):
        for first in range(0, n_inner, _BLOCK):
            width = min(_BLOCK, n_inner - first)
            for i in range(n):
                for k in range(width):
                    labels[k, i] = nearest[outer, i, first + k]
                    squares[k, i] = squared[outer, i, first + k]
            for k in range(width):
                _join_column(labels[k], squares[k], step, limit, apex, begins, height, name, half_over)
            for i in range(n):
                for k in range(width):
                    nearest[outer, i, first + k] = labels[k, i]
                    squared[outer, i, first + k] = squares[k, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _join_column(label, square, step, limit, apex, begins, height, name, half_over):
    """Replace the squares of a column by the lower envelope of their parabolas, and the labels with them."""
    scale = 1.0 / (step * step)
    n = 0
    for i in range(label.size):
        if square[i] == math.inf:
            continue
        # At place q the parabola is `square / step^2 + (q - i)^2`; without q^2, which all have, a line.
        own = square[i] * scale + float(i) * i
        begin = -math.inf
        while n > 0:
            begin = (own - height[n - 1]) * half_over[i - apex[n - 1]]
            if begin > begins[n - 1]:
                break
            n -= 1
        if n == 0:
            begin = -math.inf
        apex[n], begins[n], height[n], name[n] = i, begin, own, label[i]
        n += 1
    if n == 0:
        return
    for p in range(n):
        height[p] = square[apex[p]]
    begins[n] = math.inf
    p = 0
    for i in range(label.size):
        while begins[p + 1] < i:
            p += 1
        value = height[p] + ((i - apex[p]) * step) ** 2
        if value > limit:
            label[i], square[i] = 0, math.inf
        else:
            label[i], square[i] = name[p], value
