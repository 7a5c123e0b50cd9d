"""Noise of a camera, voxel by voxel: a function of the key and the place, whatever part of an image is asked for.

Each voxel has random numbers of its own, a hash of its place, so no order of work changes them.

References
----------
.. [1] W. Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics
   and Economics 12 (1993) 39-45: algorithm PTRS, for means of 10 and more.
.. [2] M. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Stat. 37 (1988) 477-484:
   PPND7, which is good to 7 digits.
"""

import math

import numpy as np
from jaxtyping import Float32
from numba import njit

from ..core.lattice import hashed, next_uniform

_LOW_MEAN = 10.0
_NORMAL_MEAN = 1e9
"""From here on a normal number is as good, to a part in 10^5 of its width, and the logarithms lose their digits."""

_MANY_FEW = 80
"""A Poisson number of a mean below 10 is below this, but for one in 10^40."""

_RECIPROCAL = np.array([0.0, *(1.0 / np.arange(1, _MANY_FEW))])


@njit(cache=True, nogil=True, error_model="numpy")
def record(
    light,
    efficiency,
    dark,
    n_frames,
    read_electrons,
    gain,
    offset,
    top,
    key,
    start,
):
    """Turn photons into grey values, in place.

    Parameters
    ----------
    light : (Z, Y, X) float32
        Expected photons per voxel; becomes grey values over the full range, 0 to 1.
    dark : (Y, X)
        Electrons of each pixel without light.
    read_electrons
        Standard deviation of the noise of reading a pixel once.
    top
        Largest grey value.
    key : uint64
    start
        First voxel in the grid, `zyx`.
    """
    read = read_electrons / math.sqrt(n_frames)
    for z in range(light.shape[0]):
        for y in range(light.shape[1]):
            row = light[z, y]
            for x in range(light.shape[2]):
                state = hashed(key, z + start[0], y + start[1], x + start[2])
                mean = (row[x] * efficiency + dark[y, x]) * n_frames
                if mean < _LOW_MEAN:
                    state, electrons = _few(state, mean)
                else:
                    state, electrons = _many(state, mean)
                value = electrons / n_frames
                if read > 0.0:
                    state, u = next_uniform(state)
                    value += read * normal_quantile(u)
                grey = math.floor(offset + gain * value + 0.5)
                row[x] = np.float32(min(max(grey, 0.0), top) / top)


@njit(cache=True, nogil=True, inline="always")
def _few(state, mean):
    """Poisson number by inversion; for small means."""
    state, u = next_uniform(state)
    share = math.exp(-mean)
    n = 0
    while u >= share and n < _MANY_FEW - 1:
        u -= share
        n += 1
        share *= mean * _RECIPROCAL[n]
    return state, float(n)


@njit(cache=True, nogil=True, error_model="numpy")
def _many(state, mean):
    """Poisson number by transformed rejection [1]_; for means of 10 and more."""
    root = math.sqrt(mean)
    if not mean < _NORMAL_MEAN:
        state, u = next_uniform(state)
        return state, mean + root * normal_quantile(u)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        state, u = next_uniform(state)
        state, v = next_uniform(state)
        u -= 0.5
        left = 0.5 - abs(u)
        n = math.floor((2.0 * a / left + b) * u + mean + 0.43)
        if left >= 0.07 and v <= accepted:
            return state, n
        if n < 0.0 or (left < 0.013 and v > left):
            continue
        if math.log(v * inverse_alpha / (a / (left * left) + b)) <= n * math.log(mean) - mean - math.lgamma(
            n + 1.0
        ):
            return state, n


@njit(cache=True, nogil=True, error_model="numpy")
def normal_quantile(p):
    """Value that a normal number is below with probability `p` in (0, 1) [2]_."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = ((5.9109374720e1 * r + 1.5929113202e2) * r + 5.0434271938e1) * r + 3.3871327179
        return q * above / (((6.7187563600e1 * r + 7.8757757664e1) * r + 1.7895169469e1) * r + 1.0)
    r = math.sqrt(-math.log(max(min(p, 1.0 - p), 1e-300)))
    if r <= 5.0:
        r -= 1.6
        above = ((1.7023821103e-1 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        value = above / ((1.2021132975e-1 * r + 7.3700164250e-1) * r + 1.0)
    else:
        r -= 5.0
        above = ((1.7337203997e-2 * r + 4.2868294337e-1) * r + 3.0812263860) * r + 6.6579051150
        value = above / ((1.2258202635e-2 * r + 2.4197894225e-1) * r + 1.0)
    return value if q > 0 else -value


@njit(cache=True, nogil=True)
def poisson_of(means: Float32[np.ndarray, " n"], key) -> np.ndarray:
    """A Poisson number of each mean, for tests."""
    out = np.empty(means.size)
    for i in range(means.size):
        state = hashed(key, i, 0, 0)
        if means[i] < _LOW_MEAN:
            state, out[i] = _few(state, means[i])
        else:
            state, out[i] = _many(state, means[i])
    return out
