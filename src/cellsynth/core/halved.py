"""Mean of neighbouring voxels: the next smaller level of an image."""

import math

import numpy as np
from jaxtyping import Shaped
from numba import njit


def mean_of_steps(
    pixels: Shaped[np.ndarray, "*czyx"], steps: tuple[int, ...]
) -> Shaped[np.ndarray, "*smaller"]:
    """Mean over `steps` values along each axis, of the same type; whole numbers are rounded, ties to even.

    Where an axis ends in the middle of a step its last value counts as often as is missing.

    Parameters
    ----------
    pixels
        2 to 4 axes.
    steps
        Per axis; 1 along all but the last three.
    """
    assert math.prod(steps[:-3]) == 1
    n_front = max(len(steps) - 3, 0)
    shape = tuple(-(-n // s) for n, s in zip(pixels.shape, steps, strict=True))
    three = (1,) * (3 - min(len(steps), 3))
    source = np.ascontiguousarray(pixels).reshape((-1, *three, *pixels.shape[n_front:]))
    found = np.empty((len(source), *three, *shape[n_front:]), pixels.dtype)
    z, y, x = three + tuple(int(s) for s in steps[n_front:])
    _fill_means(source, found, z, y, x, pixels.dtype.kind in "ui")
    return found.reshape(shape)


@njit(cache=True, nogil=True)
def _fill_means(source, found, step_z, step_y, step_x, is_whole):
    n = step_z * step_y * step_x
    _, last_z, last_y, last_x = source.shape
    row = np.empty(found.shape[3], np.float64)
    for c in range(found.shape[0]):
        for z in range(found.shape[1]):
            for y in range(found.shape[2]):
                row[:] = 0.0
                for k in range(step_z):
                    for j in range(step_y):
                        line = source[c, min(z * step_z + k, last_z - 1), min(y * step_y + j, last_y - 1)]
                        for x in range(last_x // step_x):
                            for i in range(step_x):
                                row[x] += line[x * step_x + i]
                        if last_x % step_x:
                            x = last_x // step_x
                            for i in range(step_x):
                                row[x] += line[min(x * step_x + i, last_x - 1)]
                for x in range(row.size):
                    mean = row[x] / n
                    found[c, z, y, x] = np.rint(mean) if is_whole else mean
